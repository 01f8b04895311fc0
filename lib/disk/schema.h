/* schema.h - the tables of rows.db and system.db, as numbered migrations.
 *
 * Step i brings format i to i+1; a new database runs them all. Never edit a step that was released: add one.
 *
 * rows.db
 *   store    one row: what the store is. `metric` is a number of evdb_metric, or, as text, the name of a custom one (an evdb from
 *   records  id -> slot, sequence of the last write, checksum, metadata, Unix time in ms from which it counts as gone, NULL = none. The
 *            index of these has an entry only for records that expire. `author` and `written`: who wrote it and when (Unix ms), NULL =
 *            that is not known
 *            before there were any finds no metric in it, and refuses the store). `codec` is the codec that is wanted, as text, NULL =
 *            elements as they are; `codec_id` the one that vectors to come are written with, 0 = elements; `coding` counts how often that changed; slots from `recode_from` on may
 *            hold vectors that are still of another one, NULL = none do. `ttl_ms` is how long records to come live, 0 = for ever;
 *            `forgotten` the sequence when records were last erased: changes up to it may have an empty blob for an id.
 *            `authors`: whether records say who wrote them; `trash_ms`: how long deleted ones are kept, 0 = not at all
 *   vectors  slot -> sequence of the write, id, checksum, bytes, codec they are of, 0 = elements
 *   codecs   id -> spec, whether it is of single records that asked for it, mean relative error when it was trained, the codec
 *            with its trained parameters, NULL = it has none
 *   changes  sequence -> kind, slot filled, slot freed, live records after it, id
 *   free     slots to use again
 *   trash    number, in order of deletion -> a record that was deleted, when (Unix ms) and by whom, all that it was, its version, and its
 *            vector as it lay in `vectors`, with the codec that it is of. At most one an id: the last that was deleted
 * system.db
 *   stores   uuid -> name
 *   debris   folders that may be deleted
 *   keys     name -> bytes that this database alone knows: 'auth' and 'audit' are keys, 'audit_head' is how far the audit log has come
 *   clients  id -> hash of its secret, scopes, grants; generation tells its secrets apart
 *   quotas   client -> requests a second, records and bytes a day; 0 = not set, -1 = no limit
 *   refresh  keyed hash of a refresh token -> client, scopes, expiry, family (what came from one log-in)
 *   signing  name of a key that access tokens are signed with -> its seed; state (0 next, 1 active, 2 retiring) and since when; the longest
 *            lifetime of a token that it signed
 *   revoked  id of an access token, or family of refresh tokens -> whose it was, and until when that must be known
 *
 * Records are keyed by id (INTEGER or TEXT, one kind a store) so that an insert touches three
 * leaf pages; vectors lie apart so that walking metadata does not read them. */
#ifndef EVDB_DISK_SCHEMA_H
#define EVDB_DISK_SCHEMA_H
#include <stdint.h>

extern const char *const schema_rows[];
extern const uint32_t schema_rows_count;
extern const char *const schema_system[];
extern const uint32_t schema_system_count;

#endif
