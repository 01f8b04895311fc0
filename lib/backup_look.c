/* backup_look.c - evdb_backup_look(): both ends of a backup, wherever its bytes are. */
#include "backup_file.h"
#include "backup_private.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/options.h"
#include "base/try.h"
#include "engine/engine.h"

static evdb_status read_at(const evdb_bytes *b, uint64_t at, void *out, size_t size, evdb_error *err)
{
    evdb_error why;
    if (size > b->size || at > b->size - size) return error_set(err, EVDB_CORRUPT, "the backup is damaged: it is cut short");
    evdb_status rc = b->read(b->context, at, out, size, &why);
    why.status = rc;
    if (rc != EVDB_OK && err) *err = why;
    return rc;
}

static evdb_status look(const platform *p, const evdb_bytes *b, evdb_backup_info *out, evdb_error *err)
{
    unsigned char fixed[BACKUP_FIXED], *bytes = NULL;
    backup_head head = { .own = NULL };
    backup_foot foot;
    size_t size;
    evdb_status rc;
    TRY(read_at(b, 0, fixed, sizeof(fixed), err));
    TRY(backup_head_size(fixed, &size, err));
    if (!(bytes = mem_alloc(&p->mem, size))) TRY(error_no_memory(err, size, "a backup's head"));
    TRY(read_at(b, 0, bytes, size, err));
    TRY(backup_head_read(bytes, size, &head, err));
    backup_info_fill(&head, NULL, out);
    TRY(read_at(b, b->size - sizeof(foot), &foot, sizeof(foot), err));
    TRY(backup_foot_check(&foot, &head, err));
    if (foot.body_bytes != b->size - sizeof(foot)) TRY(error_set(err, EVDB_CORRUPT, "the backup is damaged: it has another length than it says"));
    backup_info_fill(&head, &foot, out);
out:
    backup_head_free(&head);
    mem_free(&p->mem, bytes);
    return rc;
}

evdb_status backup_look(const platform *p, const evdb_bytes *bytes, evdb_backup_info *out, evdb_error *err)
{
    *out = (evdb_backup_info)EVDB_BACKUP_INFO;
    evdb_status rc = look(p, bytes, out, err);
    out->file_bytes = bytes->size;
    return rc;
}

evdb_status evdb_backup_look(evdb *db, const evdb_bytes *backup, evdb_backup_info *out, evdb_error *err)
{
    evdb_backup_info info;
    evdb_error unheard;
    evdb_status rc;
    TRY(db_usable(db, err));
    if (!backup || !out) TRY(error_set(err, EVDB_INVALID, "looking at a backup: %s is NULL", backup ? "out" : "backup"));
    rc = backup_look(&db->platform, backup, &info, err);
    evdb_status told = options_export(out, &info, sizeof(info), "evdb_backup_info", rc == EVDB_OK ? err : &unheard);
    if (rc == EVDB_OK) rc = told;
out:
    return rc;
}
