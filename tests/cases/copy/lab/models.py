"""No models of its own: every case defines what it needs under the app label `lab`."""
