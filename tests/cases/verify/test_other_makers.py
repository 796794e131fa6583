"""Kind 10: schemas of Rails, Laravel, Prisma, SQLAlchemy and pgloader are adopted by following the advice."""

import datetime
import decimal

import pytest

MODELS = """
class Author(models.Model):
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField({created}null=True)

    class Meta:
        db_table = "{author}"

class Book(models.Model):
    title = models.CharField(max_length=255)
    author = models.ForeignKey(Author, models.CASCADE{key})
    status = models.CharField(max_length=20{default})
    price = models.DecimalField(max_digits=10, decimal_places=2)
    is_public = models.BooleanField({public}default=False)

    class Meta:
        db_table = "{book}"
"""
PLURAL = {"author": "authors", "book": "books", "created": "", "key": "", "public": "", "default": ""}
PRISMA = {
    "author": "Author", "book": "Book", "created": 'db_column="createdAt", ', "key": ', db_column="authorId"',
    "public": 'db_column="isPublic", ', "default": "",
}  # fmt: skip

RAILS = """
CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
CREATE TABLE ar_internal_metadata (key varchar NOT NULL PRIMARY KEY, value varchar, created_at {time} NOT NULL);
CREATE TABLE authors (id {id}, name varchar NOT NULL, email varchar NOT NULL, created_at {time} NOT NULL);
CREATE UNIQUE INDEX index_authors_on_email ON authors (email);
CREATE TABLE books (id {id}, title varchar, author_id {reference} NOT NULL, status varchar DEFAULT 'draft' NOT NULL,
    price decimal(10,2), is_public boolean DEFAULT {false} NOT NULL,
    CONSTRAINT fk_rails_53d51ce16a FOREIGN KEY (author_id) REFERENCES authors (id));
CREATE INDEX index_books_on_author_id ON books (author_id);
INSERT INTO schema_migrations VALUES ('20240101000000');
INSERT INTO authors (name, email, created_at) VALUES ('Ada', 'ada@example.com', '2024-02-29 12:00:00.123456');
INSERT INTO books (title, author_id, price, is_public) VALUES ('Notes', 1, 12.50, {true});
"""
LARAVEL = """
create table "migrations" ("id" {id}, "migration" varchar(255) not null, "batch" integer not null);
create table "authors" ("id" {id}, "name" varchar(255) not null, "email" varchar(255) not null,
    "created_at" {time} null);
{unique};
create table "books" ("id" {id}, "title" varchar(255) not null, "author_id" {reference} not null,
    "status" varchar(255) check ("status" in ('draft', 'published')) not null default 'draft',
    "price" {decimal} not null, "is_public" {boolean} not null default {false},
    constraint "books_author_id_foreign" foreign key ("author_id") references "authors" ("id") on delete cascade);
INSERT INTO authors (name, email, created_at) VALUES ('Ada', 'ada@example.com', '2024-02-29 12:00:00');
INSERT INTO books (title, author_id, price, is_public) VALUES ('Notes', 1, 12.50, {true});
"""
OF_PRISMA = """
CREATE TABLE "_prisma_migrations" (id varchar(36) PRIMARY KEY NOT NULL, checksum varchar(64) NOT NULL);
{enum}CREATE TABLE "Author" ("id" {id}, "name" TEXT NOT NULL, "email" TEXT NOT NULL,
    "createdAt" {time} NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE UNIQUE INDEX "Author_email_key" ON "Author"("email");
CREATE TABLE "Book" ("id" {id}, "title" TEXT NOT NULL, "authorId" INTEGER NOT NULL,
    "status" {status} NOT NULL DEFAULT 'draft', "price" DECIMAL(10,2) NOT NULL,
    "isPublic" BOOLEAN NOT NULL DEFAULT false,
    CONSTRAINT "Book_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "Author" ("id")
    ON DELETE RESTRICT ON UPDATE CASCADE);
INSERT INTO "Author" (name, email, "createdAt") VALUES ('Ada', 'ada@example.com', '2024-02-29 12:00:00.123');
INSERT INTO "Book" (title, "authorId", price, "isPublic") VALUES ('Notes', 1, 12.50, {true});
"""
ALCHEMY = """
CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, PRIMARY KEY (version_num));
CREATE TABLE authors (id {id}, name VARCHAR(255) NOT NULL, email VARCHAR NOT NULL, created_at {time},
    PRIMARY KEY (id), UNIQUE (email));
CREATE TABLE books (id {id}, title TEXT NOT NULL, author_id INTEGER, status {status}, price NUMERIC(10, 2),
    is_public BOOLEAN, PRIMARY KEY (id), FOREIGN KEY(author_id) REFERENCES authors (id) ON DELETE CASCADE{check});
CREATE INDEX ix_books_title ON books (title);
INSERT INTO authors (name, email, created_at) VALUES ('Ada', 'ada@example.com', '2024-02-29 12:00:00');
INSERT INTO books (title, author_id, status, price, is_public) VALUES ('Notes', 1, 'draft', 12.50, {true});
"""
PGLOADER = """
CREATE TABLE authors (id bigint NOT NULL, name varchar(255) NOT NULL, email varchar(255) NOT NULL,
    created_at timestamptz);
CREATE SEQUENCE authors_id_seq OWNED BY authors.id;
ALTER TABLE authors ALTER id SET DEFAULT nextval('authors_id_seq');
CREATE UNIQUE INDEX idx_16389_primary ON authors (id);
CREATE UNIQUE INDEX idx_16389_email ON authors (email);
ALTER TABLE authors ADD CONSTRAINT idx_16389_primary PRIMARY KEY USING INDEX idx_16389_primary;
CREATE TABLE books (id bigserial PRIMARY KEY, title varchar(255) NOT NULL, author_id bigint NOT NULL,
    status varchar(20) NOT NULL, price numeric(10,2) NOT NULL, is_public smallint NOT NULL DEFAULT '0');
CREATE INDEX idx_16395_books_author_id ON books (author_id);
ALTER TABLE books ADD CONSTRAINT books_author_id_fk FOREIGN KEY (author_id) REFERENCES authors (id)
    ON UPDATE RESTRICT ON DELETE RESTRICT;
INSERT INTO authors (name, email, created_at) VALUES ('Ada', 'ada@example.com', '2024-02-29 12:00:00Z');
INSERT INTO books (title, author_id, status, price, is_public) VALUES ('Notes', 1, 'draft', 12.50, 1);
"""
LITE = {"id": "integer PRIMARY KEY AUTOINCREMENT NOT NULL", "reference": "integer", "true": "1", "false": "0"}
BIG = {"id": "bigserial PRIMARY KEY", "reference": "bigint", "true": "true", "false": "false"}
MAKERS = {
    "sqlite Rails": (PLURAL, RAILS, LITE | {"time": "datetime(6)"}),
    "sqlite Laravel": (PLURAL, LARAVEL, LITE | {
        "time": "datetime", "boolean": "tinyint(1)", "false": "'0'", "decimal": "numeric",
        "unique": 'create unique index "authors_email_unique" on "authors" ("email")',
    }),
    "sqlite Prisma": (PRISMA, OF_PRISMA, {
        "id": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT", "time": "DATETIME", "enum": "", "status": "TEXT",
        "true": "1",
    }),
    "sqlite SQLAlchemy": (PLURAL, ALCHEMY, {
        "id": "INTEGER NOT NULL", "time": "DATETIME", "status": "VARCHAR(9)", "true": "1",
        "check": ", CONSTRAINT flag CHECK (is_public IN (0, 1))",
    }),
    "postgresql Rails": (PLURAL, RAILS, BIG | {"time": "timestamp(6) without time zone"}),
    "postgresql Laravel": (PLURAL, LARAVEL, BIG | {
        "time": "timestamp(0) without time zone", "boolean": "boolean", "decimal": "decimal(10, 2)",
        "unique": 'alter table "authors" add constraint "authors_email_unique" unique ("email")',
    }),
    "postgresql Prisma": (PRISMA, OF_PRISMA, {
        "id": "SERIAL NOT NULL PRIMARY KEY", "time": "TIMESTAMP(3)", "status": '"Status"', "true": "true",
        "enum": """CREATE TYPE "Status" AS ENUM ('draft', 'published');\n""",
    }),
    "postgresql SQLAlchemy": (PLURAL, ALCHEMY, {
        "id": "SERIAL NOT NULL", "time": "TIMESTAMP WITHOUT TIME ZONE", "status": "VARCHAR(9)", "true": "true",
        "check": "",
    }),
    "postgresql pgloader": (PLURAL, PGLOADER, {}),
}  # fmt: skip


@pytest.mark.parametrize(("vendor", "maker"), [(name.partition(" ")[0], name) for name in MAKERS])
def test_the_advice_on_another_makers_database_ends_in_an_adopted_one(lab, maker, settings):
    settings.LEGACY_TIME_ZONE = "UTC"
    names, schema, words = MAKERS[maker]
    lab.adopt(MODELS.format(**names), schema.format(**words))
    lab.follow()
    report = lab.verify()
    assert report.code == 0, report
    assert lab.recorded() == ["0001_initial"]
    lab.migrate()
    book = lab.model("Book").objects.select_related("author").get()
    assert (book.title, book.author.email, book.status, book.price) == (
        "Notes",
        "ada@example.com",
        "draft",
        decimal.Decimal("12.5"),
    )
    assert book.is_public is True
    assert book.author.created_at.replace(microsecond=0) == datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
    lab.model("Book").objects.create(title="b", author=book.author, status="draft", price=1)
    book.author.delete()
    assert lab.model("Book").objects.count() == 0
