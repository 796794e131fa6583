"""The queries on PostgreSQL's catalog and the rows that they return."""

from typing import NamedTuple

RELATIONS = """
SELECT c.oid, n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text, pg_table_is_visible(c.oid),
       obj_description(c.oid, 'pg_class'), pg_relation_size(c.oid),
       ARRAY(SELECT ARRAY['trigger', t.tgname, CASE t.tgenabled WHEN 'D' THEN 'disabled' ELSE 'enabled' END]
             FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal
             UNION ALL
             SELECT ARRAY['rule', w.rulename, 'enabled']
             FROM pg_rewrite w WHERE w.ev_class = c.oid AND c.relkind IN ('r', 'p')
             ORDER BY 1),
       CASE WHEN NOT c.relrowsecurity THEN ''
            WHEN row_security_active(c.oid) THEN
                CASE WHEN EXISTS (SELECT FROM pg_policy p, unnest(p.polroles) r WHERE p.polrelid = c.oid
                                  AND p.polpermissive AND (r = 0 OR pg_has_role(r, 'USAGE')))
                     THEN 'policy' ELSE 'none' END
            WHEN EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive)
            THEN 'policy for others' ELSE 'none for others' END,
       EXISTS (SELECT FROM pg_trigger t  -- bits of tgtype: 1 for each row, 2 before, 4 insert
               WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 7 = 7)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c', 'i') AND n.nspname !~ '^pg_(toast|temp)'
  AND (c.relname = ANY(%s) OR n.nspname || '.' || c.relname = ANY(%s))
"""
SCRATCH_RELATIONS = """
SELECT c.oid, 'pg_temp', c.relname::text, c.relkind::text, 'p', true, obj_description(c.oid, 'pg_class'), 0,
       '{}'::text[], '', false
FROM pg_class c WHERE c.relnamespace = pg_my_temp_schema() AND c.relkind = 'r' AND c.relname = ANY(%s || %s::text[])
"""
COLUMNS = """
SELECT a.attrelid, a.attname::text, format_type(a.atttypid, a.atttypmod), NOT a.attnotnull,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text, a.attgenerated::text,
       CASE WHEN a.attcollation <> t.typcollation THEN co.collname::text END, col_description(a.attrelid, a.attnum),
       n.conname::text
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
LEFT JOIN pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_constraint n ON n.conrelid = a.attrelid AND n.conkey[1] = a.attnum
     AND n.contype = 'n' AND NOT n.convalidated
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
CONSTRAINTS = """
SELECT c.conrelid, c.conname::text, c.contype::text, pg_get_constraintdef(c.oid), c.convalidated,
       ARRAY(SELECT a.attname::text FROM unnest(c.conkey) WITH ORDINALITY k(n, o)
             JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.n ORDER BY o),
       CASE WHEN fn.nspname ~ '^pg_temp' THEN f.relname::text
            WHEN pg_table_is_visible(f.oid) AND fn.nspname || '.' || f.relname <> ALL(%s) THEN f.relname::text
            ELSE fn.nspname || '.' || f.relname END,
       ARRAY(SELECT a.attname::text FROM unnest(c.confkey) WITH ORDINALITY k(n, o)
             JOIN pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.n ORDER BY o),
       c.confupdtype::text, c.confdeltype::text, c.confmatchtype::text, coalesce(idle.enabling, '{}')
FROM pg_constraint c LEFT JOIN pg_class f ON f.oid = c.confrelid LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace
LEFT JOIN (SELECT tgconstraint, array_agg(format('ALTER TABLE %%s ENABLE TRIGGER %%I;', tgrelid::regclass, tgname)
                                          ORDER BY tgname) AS enabling
           FROM pg_trigger WHERE tgconstraint <> 0 AND tgenabled IN ('D', 'R') GROUP BY tgconstraint) idle
       ON idle.tgconstraint = c.oid
WHERE c.conrelid = ANY(%s) AND c.contype IN ('p', 'u', 'c', 'f', 'x')
ORDER BY c.conrelid, c.conname
"""
INDEXES = """
SELECT i.indrelid, c.relname::text, m.amname::text, i.indisunique, i.indisvalid AND i.indisready AND i.indislive,
       pg_get_expr(i.indpred, i.indrelid), pg_get_indexdef(i.indexrelid), c.reloptions::text,
       i.indnkeyatts, coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
       ARRAY(SELECT pg_get_indexdef(i.indexrelid, k, false) FROM generate_series(1, i.indnatts) k ORDER BY k),
       i.indoption::int2[], i.indclass::oid[]::int8[],
       ARRAY(SELECT CASE WHEN y.oid = (SELECT a.attcollation FROM pg_attribute a
                                       WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[y.n - 1]) THEN ''
                         ELSE coalesce((SELECT o.collname::text FROM pg_collation o
                                        WHERE o.oid = y.oid AND o.collname <> 'default'), '') END
             FROM unnest(i.indcollation::oid[]) WITH ORDINALITY y(oid, n) ORDER BY y.n)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am m ON m.oid = c.relam
WHERE i.indrelid = ANY(%s)
  AND NOT EXISTS (SELECT FROM pg_constraint u WHERE u.conindid = i.indexrelid AND u.contype IN ('p', 'u', 'x'))
ORDER BY i.indrelid, c.relname
"""
FAMILIES = """
SELECT o.oid, CASE WHEN o.opcdefault THEN '' ELSE f.opfname::text END
FROM pg_opclass o JOIN pg_opfamily f ON f.oid = o.opcfamily
"""
SEQUENCES = """
WITH behind AS (
    SELECT objid, refobjid, refobjsubid FROM pg_depend
    WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_class'::regclass AND deptype IN ('a', 'i')
      AND refobjid = ANY(%s)
    UNION
    SELECT u.refobjid, f.adrelid, f.adnum::int FROM pg_attrdef f
    JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = f.oid AND u.refclassid = 'pg_class'::regclass
    WHERE f.adrelid = ANY(%s) AND pg_get_expr(f.adbin, f.adrelid) LIKE 'nextval(%%'
)
SELECT d.refobjid, a.attname::text, d.objid::regclass::text, s.seqmax, s.seqincrement, s.seqcycle,
       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = d.refobjid AND i.indkey[0] = d.refobjsubid AND i.indisvalid),
       CASE WHEN NOT has_column_privilege(d.refobjid, d.refobjsubid::int2, 'SELECT') THEN d.refobjid::regclass::text
            WHEN NOT has_sequence_privilege(d.objid, 'SELECT') THEN d.objid::regclass::text END,
       format('%%I', a.attname), d.refobjid::regclass::text
FROM behind d JOIN pg_sequence s ON s.seqrelid = d.objid
JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
ORDER BY d.refobjid, a.attnum
"""
LOCKED = """
SELECT DISTINCT c.oid::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND l.mode = 'AccessExclusiveLock' AND l.pid <> pg_backend_pid() AND c.relkind IN ('r', 'p')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY 1 LIMIT 3
"""


class Relation(NamedTuple):
    """A row of RELATIONS."""

    oid: int
    schema: str
    name: str
    kind: str
    persistence: str
    visible: bool
    comment: str | None
    bytes: int
    triggers: list[tuple[str, str, str]]
    row_security: str
    fills_rows: bool


class ColumnRow(NamedTuple):
    """A row of COLUMNS."""

    oid: int
    name: str
    type: str
    nullable: bool
    default: str | None
    identity: str
    generated: str
    collation: str | None
    comment: str | None
    unvalidated: str | None


class ConstraintRow(NamedTuple):
    """A row of CONSTRAINTS."""

    oid: int
    name: str
    type: str
    definition: str
    valid: bool
    columns: list[str]
    target: str | None
    target_columns: list[str]
    on_update: str
    on_delete: str
    match: str
    enabling: list[str]


class IndexRow(NamedTuple):
    """A row of INDEXES."""

    oid: int
    name: str
    method: str
    unique: bool
    valid: bool
    predicate: str | None
    definition: str
    options: str | None
    keys: int
    nulls_not_distinct: bool
    columns: list[str]
    order: list[int]
    classes: list[int]
    collations: list[str]


class SequenceRow(NamedTuple):
    """A row of SEQUENCES. `table` and `quoted_column` are quoted; `is_indexed` makes the largest key cheap to read."""

    oid: int
    column: str
    sequence: str
    last: int
    increment: int
    cycles: bool
    is_indexed: bool
    unreadable: str | None
    quoted_column: str
    table: str
