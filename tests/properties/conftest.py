"""How the property tests run: the same examples each time.

HYPOTHESIS_PROFILE=search looks for new ones, and reduces one that fails to the smallest.
"""

import os

from hypothesis import HealthCheck, Phase, settings

LOOSE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large,
         HealthCheck.filter_too_much]  # fmt: skip
settings.register_profile("search", deadline=None, suppress_health_check=LOOSE, max_examples=400)
settings.register_profile(
    "suite", settings.get_profile("search"), derandomize=True, max_examples=25, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))
