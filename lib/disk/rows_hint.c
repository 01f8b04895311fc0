/* rows_hint.c - the hint beside rows.db: how far commits have got, and what that says when the store is opened again. */
#include "base/error.h"
#include "disk/rows_private.h"
#include "platform/map.h"
#include <stdio.h>
#include <string.h>

void rows_hint_done(rows *r, uint64_t sequence)
{
    atomic_store(&r->hint->done, sequence);
    atomic_store(&r->hint->done_check, ~sequence);
}

/* Commits up to sequence are on the disk. */
static void synced(rows *r, uint64_t sequence)
{
    atomic_store(&r->hint->synced, sequence);
    atomic_store(&r->hint->synced_check, ~sequence);
}

void rows_hint_synced(rows *r)
{
    if (atomic_load(&r->hint->unsynced) == HINT_UNSYNCED) synced(r, atomic_load(&r->hint->done));
}

bool rows_synced(const rows *r)
{
    return atomic_load(&r->hint->unsynced) != HINT_UNSYNCED || atomic_load(&r->hint->synced) == atomic_load(&r->hint->done);
}

/* Said durably before the first of them: after a power failure what is missing must not pass for damage. */
evdb_status rows_hint_unsynced(rows *r, evdb_error *err)
{
    rows_hint *h = r->hint;
    if (atomic_load(&h->unsynced) == HINT_UNSYNCED) return EVDB_OK;
    synced(r, atomic_load(&h->done));
    atomic_store(&h->unsynced, HINT_UNSYNCED);
    int failed = map_sync(r->platform, r->hint_path, h, HINT_BYTES);
    if (!failed) return EVDB_OK;
    atomic_store(&h->unsynced, 0);
    return error_errno(err, failed, "sync", r->hint_path);
}

bool rows_unchanged_since(const rows *r, uint64_t sequence)
{
    return atomic_load(&r->hint->done) == sequence && atomic_load(&r->hint->begun) == sequence;
}

bool rows_dropped(const rows *r) { return atomic_load(&r->hint->dropped) == HINT_DROPPED; }

void rows_announce_drop(const platform *p, const char *dir)
{
    char path[4096];
    void *hint;
    if ((size_t)snprintf(path, sizeof(path), "%s/hint", dir) >= sizeof(path)) return;
    if (map_shared(p, path, HINT_BYTES, &hint) != 0) return; /* nobody has it open then */
    atomic_store(&((rows_hint *)hint)->dropped, HINT_DROPPED);
    map_drop(hint, HINT_BYTES);
}

bool rows_hint_believable(const rows *r)
{
    const rows_hint *h = r->hint;
    return strncmp(h->uuid, r->uuid, sizeof(h->uuid)) == 0 && atomic_load(&h->done_check) == ~atomic_load(&h->done);
}

void rows_hint_set(rows *r, uint64_t tip, uint64_t begun)
{
    rows_hint *h = r->hint;
    if (!rows_hint_believable(r)) atomic_store(&h->unsynced, 0);
    memset(h->uuid, 0, sizeof(h->uuid));
    memcpy(h->uuid, r->uuid, sizeof(r->uuid));
    atomic_store(&h->begun, begun);
    rows_hint_done(r, tip);
}

/* Is everything that was acknowledged in the file? The hint knows, unless it is missing, damaged, or (after the power
 * failed) older than the file; then the log is asked. It may not be asked first: a writer killed in mid-commit leaves
 * frames behind the end of the log, and when a shorter commit of another process overwrites their beginning, the rest
 * looks like sound commits behind a damaged frame.
 * Of commits that were acknowledged without a sync any may be missing, and the log ends anyhow. */
evdb_status rows_hint_complete(const rows *r, uint64_t tip, const wal_report *log, evdb_error *err)
{
    uint64_t done = atomic_load(&r->hint->done), begun = atomic_load(&r->hint->begun);
    bool believable = rows_hint_believable(r);
    if (believable && atomic_load(&r->hint->unsynced) == HINT_UNSYNCED) {
        bool told = atomic_load(&r->hint->synced_check) == ~atomic_load(&r->hint->synced);
        if (!told || tip >= atomic_load(&r->hint->synced)) return EVDB_OK;
        done = atomic_load(&r->hint->synced);
    }
    if (believable && done > tip && log->commits_behind)
        return error_set(err, EVDB_CORRUPT, "%s: changes %llu to %llu were committed and are missing: frame %llu of its write-ahead log is "
                         "damaged, and %llu sound commits lie behind it (remove %s to accept the loss)", r->path, (unsigned long long)tip + 1,
                         (unsigned long long)done, (unsigned long long)log->broken, (unsigned long long)log->commits_behind, r->hint_path);
    if (believable && done > tip)
        return error_set(err, EVDB_CORRUPT, "%s: changes %llu to %llu were committed and are missing: the file or its "
                         "write-ahead log was damaged, removed or replaced (remove %s to accept the loss)", r->path,
                         (unsigned long long)tip + 1, (unsigned long long)done, r->hint_path);
    if (believable && (tip == done || tip <= begun)) return EVDB_OK;
    if (wal_damaged(log))
        return error_set(err, EVDB_CORRUPT, "%s-wal: frame %llu is damaged and %llu sound commits lie behind it: opening "
                         "would drop them (cut the log to %llu bytes to accept the loss)", r->path,
                         (unsigned long long)log->broken, (unsigned long long)log->commits_behind,
                         (unsigned long long)log->bytes);
    return EVDB_OK;
}
