"""Copies of data that other tools and older versions left behind, judged by independent SQL."""
