"""Legacy readings beside the migrated tables, as an earlier Flask-SQLAlchemy application left them."""

from django.db import connections

TABLE = {
    "sqlite": "CREATE TABLE performance_data (id INTEGER NOT NULL, device_id INTEGER NOT NULL, cpu_usage FLOAT, "
    "memory_usage FLOAT, timestamp DATETIME, PRIMARY KEY (id))",
    "postgresql": "CREATE TABLE performance_data (id SERIAL NOT NULL, device_id INTEGER NOT NULL, cpu_usage FLOAT, "
    "memory_usage FLOAT, timestamp TIMESTAMP WITHOUT TIME ZONE, PRIMARY KEY (id))",
}
NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last}) ",
    "postgresql": "WITH numbers AS (SELECT generate_series({first}, {last}) AS n) ",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S', 1500000000 + n * 60, 'unixepoch') || '.000000'",
    "postgresql": "timestamp '2017-07-14 02:40:00' + n * interval '1 minute'",
}


def execute(using, statement, parameters=None):
    """Run a statement and return its rows, if it has any."""
    with connections[using].cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None


def build(using, rows, devices=10):
    """Create devices and performance_data with `rows` good readings, ids from 1 up."""
    execute(using, TABLE[connections[using].vendor])
    for number in range(1, devices + 1):
        execute(using, "INSERT INTO devices (name, ip_address) VALUES (%s, %s)", (f"d{number}", f"10.0.0.{number}"))
    append(using, 1, rows, devices)


def append(using, first, last, devices=10):
    """Add good readings with the ids `first` to `last`."""
    vendor = connections[using].vendor
    execute(
        using,
        f"{NUMBERS[vendor].format(first=first, last=last)} INSERT INTO performance_data "
        f"SELECT n, n % {devices} + 1, n % 97 / 1.7, CASE WHEN n % 5 = 0 THEN NULL ELSE n % 89 / 3.1 END, "
        f"{MOMENT[vendor]} FROM numbers",
    )


def not_over(using, offset=0):
    """Return, by SQL of its own, the ids of readings that performance_records does not hold exactly once and equal."""
    moment = {"sqlite": "substr(d.timestamp, 1, 19)", "postgresql": "d.timestamp AT TIME ZONE 'UTC'"}
    return [
        key
        for (key,) in execute(
            using,
            "SELECT d.id FROM performance_data d WHERE 1 <> (SELECT count(*) FROM performance_records r "
            f"WHERE r.id = d.id + {offset} AND r.device_id = d.device_id AND r.bandwidth_usage IS NULL "
            f"AND r.recorded_at = {moment[connections[using].vendor]} AND r.created_at = r.updated_at "
            "AND coalesce(r.cpu_usage, -1) = coalesce(d.cpu_usage, -1) "
            "AND coalesce(r.memory_usage, -1) = coalesce(d.memory_usage, -1)) ORDER BY d.id",
        )
    ]


def count(using, table="performance_records"):
    """Return the number of rows of a table."""
    return execute(using, f"SELECT count(*) FROM {table}")[0][0]
