"""The database that a Flask-SQLAlchemy application leaves behind."""

from django.db import connections

SCHEMA = """
CREATE TABLE device_types (id {serial}, name VARCHAR(64) NOT NULL, description VARCHAR(200), PRIMARY KEY (id),
    UNIQUE (name));
CREATE TABLE devices (id {serial}, name VARCHAR(100) NOT NULL, ip_address VARCHAR(45) NOT NULL, PRIMARY KEY (id));
CREATE TABLE performance_data (id {serial}, device_id INTEGER NOT NULL, cpu_usage FLOAT, memory_usage FLOAT,
    timestamp {timestamp}, PRIMARY KEY (id), FOREIGN KEY(device_id) REFERENCES devices (id));
CREATE INDEX ix_performance_data_timestamp ON performance_data (timestamp);
INSERT INTO device_types (name, description) VALUES ('server', 'Linux host'), ('switch', NULL);
INSERT INTO devices (name, ip_address) VALUES ('one', '10.0.0.1'), ('two', '10.0.0.2'), ('three', '10.0.0.3');
INSERT INTO performance_data (device_id, cpu_usage, memory_usage, timestamp) VALUES
    (1, 10.5, 20.25, '2024-02-29 00:00:00'), (2, NULL, 1, '2024-02-29 00:05:00'), (3, 99.9, NULL, NULL)
"""
TYPES = {
    "sqlite": {"serial": "INTEGER NOT NULL", "timestamp": "DATETIME"},
    "postgresql": {"serial": "SERIAL NOT NULL", "timestamp": "TIMESTAMP WITHOUT TIME ZONE"},
}


def build(using="default"):
    """Create the tables and a few rows."""
    connection = connections[using]
    with connection.cursor() as cursor:
        for statement in SCHEMA.format(**TYPES[connection.vendor]).split(";"):
            cursor.execute(statement)


def build_readings(using="default"):
    """Create the table of readings alone, beside tables that are there already."""
    connection = connections[using]
    create = next(statement for statement in SCHEMA.split(";") if "TABLE performance_data" in statement)
    with connection.cursor() as cursor:
        cursor.execute(create.format(**TYPES[connection.vendor]))


def contents(using="default"):
    """The rows as the old application knew them."""
    with connections[using].cursor() as cursor:
        found = []
        for query in (
            "SELECT id, name, description FROM device_types ORDER BY id",
            "SELECT id, name, ip_address FROM devices ORDER BY id",
            "SELECT id, device_id, cpu_usage, memory_usage, timestamp FROM performance_data ORDER BY id",
        ):
            cursor.execute(query)
            found.append(cursor.fetchall())
        return found
