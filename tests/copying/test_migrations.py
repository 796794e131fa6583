"""The bookkeeping of an earlier release is read after an update."""

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from compat.copies import PERFORMANCE
from compat.copying.models import CopyRun, RejectedRow


def test_keys_and_reasons_of_an_earlier_release_are_kept(migrated):
    executor = MigrationExecutor(connection)
    before = executor.migrate([("compat_copying", "0004_deferred_indexes")]).apps
    run = before.get_model("compat_copying", "CopyRun").objects.create(
        copy="performance", source="default", first_key=-3, last_key=90, offset=7, timestamp="2024-01-01T00:00Z"
    )
    before.get_model("compat_copying", "CopyRange").objects.create(run=run, first_key=-3, last_key=90, next_key=41)
    rejects = before.get_model("compat_copying", "RejectedRow").objects
    for key in (12, 5):
        rejects.create(run=run, source_pk=key, reason="device_id is empty", payload={"id": key})

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    run = CopyRun.objects.get()
    part, keys = run.ranges.get(), PERFORMANCE.keys(run.offset)
    assert (run.bounds, run.offset) == ((-3, 90), 7)
    assert (keys.range_of(part), keys.done(part).last) == (keys.range_of(run), 40)
    assert [(row.source_pk, row.source_key, row.reason_text) for row in RejectedRow.objects.order_by("pk")] == [
        (12, "12", "device_id is empty"), (5, "5", "device_id is empty"),
    ]  # fmt: skip
