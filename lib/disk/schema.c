/* schema.c - implements disk/schema.h. */
#include "disk/schema.h"

const char *const schema_rows[] = {
    "PRAGMA application_id=0x65766462;"
    "CREATE TABLE store(format INTEGER NOT NULL, uuid TEXT NOT NULL, name TEXT NOT NULL, dim INTEGER NOT NULL,"
    " metric INTEGER NOT NULL, dtype INTEGER NOT NULL, id_type INTEGER NOT NULL, m INTEGER NOT NULL,"
    " ef_construction INTEGER NOT NULL, index_threads INTEGER NOT NULL, created_ms INTEGER NOT NULL);"
    "CREATE TABLE fields(position INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE records(id PRIMARY KEY NOT NULL, slot INTEGER NOT NULL, sequence INTEGER NOT NULL,"
    " checksum INTEGER NOT NULL, metadata TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE vectors(slot INTEGER PRIMARY KEY, sequence INTEGER NOT NULL, id NOT NULL,"
    " checksum INTEGER NOT NULL, bytes BLOB NOT NULL);"
    "CREATE TABLE changes(sequence INTEGER PRIMARY KEY, kind INTEGER NOT NULL, slot INTEGER, freed INTEGER,"
    " live INTEGER NOT NULL, id NOT NULL);"
    "CREATE TABLE free(slot INTEGER PRIMARY KEY);",
    "ALTER TABLE vectors ADD COLUMN codec INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE store ADD COLUMN codec TEXT;"
    "ALTER TABLE store ADD COLUMN codec_id INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE store ADD COLUMN coding INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE store ADD COLUMN recode_from INTEGER;"
    "CREATE TABLE codecs(id INTEGER PRIMARY KEY AUTOINCREMENT, spec TEXT NOT NULL, own INTEGER NOT NULL, loss REAL NOT NULL,"
    " bytes BLOB, checksum INTEGER NOT NULL);"
    "UPDATE store SET format=2;",
    "ALTER TABLE records ADD COLUMN expires INTEGER;"
    "CREATE INDEX records_expires ON records(expires) WHERE expires IS NOT NULL;"
    "ALTER TABLE store ADD COLUMN ttl_ms INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE store ADD COLUMN forgotten INTEGER NOT NULL DEFAULT 0;"
    "UPDATE store SET format=3;",
    "ALTER TABLE records ADD COLUMN author TEXT;"
    "ALTER TABLE records ADD COLUMN written INTEGER;"
    "ALTER TABLE store ADD COLUMN authors INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE store ADD COLUMN trash_ms INTEGER NOT NULL DEFAULT 0;"
    "CREATE TABLE trash(number INTEGER PRIMARY KEY, id NOT NULL UNIQUE, deleted INTEGER NOT NULL, deleter TEXT,"
    " sequence INTEGER NOT NULL, checksum INTEGER NOT NULL, codec INTEGER NOT NULL, expires INTEGER, author TEXT, written INTEGER,"
    " metadata TEXT NOT NULL, bytes BLOB NOT NULL);"
    "CREATE INDEX trash_deleted ON trash(deleted);"
    "UPDATE store SET format=4;",
};
const uint32_t schema_rows_count = sizeof(schema_rows) / sizeof(*schema_rows);

const char *const schema_system[] = {
    "PRAGMA application_id=0x65766473;"
    "CREATE TABLE stores(uuid TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE debris(uuid TEXT PRIMARY KEY NOT NULL) WITHOUT ROWID;",
    "CREATE TABLE keys(name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE clients(id TEXT PRIMARY KEY NOT NULL, kind INTEGER NOT NULL, secret BLOB NOT NULL, scopes INTEGER NOT NULL,"
    " grants INTEGER NOT NULL, generation INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE refresh(token BLOB PRIMARY KEY NOT NULL, family BLOB NOT NULL, client TEXT NOT NULL, scopes INTEGER NOT NULL,"
    " expires_ms INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX refresh_family ON refresh(family);"
    "CREATE INDEX refresh_client ON refresh(client);"
    "CREATE INDEX refresh_expiry ON refresh(expires_ms);",
    "ALTER TABLE clients ADD COLUMN stores TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE clients ADD COLUMN method INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE clients ADD COLUMN title TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE clients ADD COLUMN redirects TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE clients ADD COLUMN jwks TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE refresh ADD COLUMN stores TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE refresh ADD COLUMN subject TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE refresh ADD COLUMN audience TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE refresh ADD COLUMN idle_ms INTEGER NOT NULL DEFAULT 0;"
    "DROP INDEX refresh_client;"
    "CREATE INDEX refresh_client ON refresh(client, expires_ms);"
    "CREATE TABLE users(name TEXT PRIMARY KEY NOT NULL, secret BLOB NOT NULL, scopes INTEGER NOT NULL, stores TEXT NOT NULL,"
    " generation INTEGER NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE codes(code BLOB PRIMARY KEY NOT NULL, family BLOB NOT NULL, client TEXT NOT NULL, subject TEXT NOT NULL,"
    " redirect TEXT NOT NULL, challenge TEXT NOT NULL, scopes INTEGER NOT NULL, stores TEXT NOT NULL, audience TEXT NOT NULL,"
    " expires_ms INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX codes_expiry ON codes(expires_ms);"
    "CREATE TABLE signing(kid TEXT PRIMARY KEY NOT NULL, seed BLOB NOT NULL, state INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
    " changed_ms INTEGER NOT NULL, lifetime_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE revoked(jti BLOB PRIMARY KEY NOT NULL, client TEXT NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX revoked_expiry ON revoked(expires_ms);"
    "CREATE INDEX revoked_client ON revoked(client);"
    "CREATE TABLE api_keys(id TEXT PRIMARY KEY NOT NULL, secret BLOB NOT NULL, title TEXT NOT NULL, scopes INTEGER NOT NULL,"
    " stores TEXT NOT NULL, created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE quotas(client TEXT PRIMARY KEY NOT NULL, requests INTEGER NOT NULL, records INTEGER NOT NULL,"
    " bytes INTEGER NOT NULL) WITHOUT ROWID;",
};
const uint32_t schema_system_count = sizeof(schema_system) / sizeof(*schema_system);
