/* alloc_backup.c - implements alloc_backup.h. */
#include "alloc_backup.h"
#include "memory_io.h"
#include <string.h>

/* Made by an earlier try, perhaps. */
static evdb_status gone(evdb_status rc) { return rc == EVDB_NOT_FOUND ? EVDB_OK : rc; }

static evdb_status same_count(alloc_scene *s, const char *name, evdb_error *err)
{
    evdb_store *store = NULL;
    uint64_t count = 0, wanted = 0;
    evdb_status rc = evdb_store_open(s->db, name, &store, err);
    if (rc == EVDB_OK) rc = evdb_store_count(store, &count, err);
    evdb_store_close(store);
    if (rc == EVDB_OK) rc = evdb_store_count(s->store, &wanted, err);
    return rc == EVDB_OK ? alloc_expect(count == wanted, err) : rc;
}

static evdb_status read_at(void *context, uint64_t at, void *buffer, size_t count, evdb_error *err)
{
    const memory_sink *file = context;
    (void)err;
    memcpy(buffer, file->bytes + at, count);
    return EVDB_OK;
}

evdb_status alloc_backup_stream(alloc_scene *s, evdb_error *err)
{
    static const unsigned char key[EVDB_BACKUP_KEY_BYTES] = { 3 };
    memory_sink file = memory_to();
    evdb_sink sink = memory_writing(&file);
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_backup_info info = EVDB_BACKUP_INFO;
    b.key = o.key = key;
    o.replace = 1;
    evdb_status rc = evdb_backup_write(s->store, &sink, &b, &info, err);
    memory_source bytes = memory_from(file.bytes, file.size);
    evdb_source source = memory_reading(&bytes);
    const evdb_source *chain[] = { &source };
    const evdb_bytes ends = { .context = &file, .size = file.size, .read = read_at };
    if (rc == EVDB_OK) rc = evdb_backup_name_check("back", err);
    if (rc == EVDB_OK) rc = evdb_backup_look(s->db, &ends, &info, err);
    if (rc == EVDB_OK) rc = evdb_backup_check(s->db, &source, &o, &info, err);
    bytes.at = 0;
    if (rc == EVDB_OK) rc = evdb_backup_check_chain(s->db, chain, 1, &o, &info, err);
    bytes.at = 0;
    if (rc == EVDB_OK) rc = evdb_backup_read(s->db, chain, 1, "back", &o, err);
    memory_sink_free(&file);
    return rc == EVDB_OK ? same_count(s, "back", err) : rc;
}

static evdb_status make_two(alloc_scene *s, evdb_error *err)
{
    static const float v[ALLOC_DIM] = { 1, 2, 3 };
    evdb_backup_options b = EVDB_BACKUP_OPTIONS;
    evdb_status rc = gone(evdb_backup_delete(s->db, "more", err));
    if (rc == EVDB_OK) rc = gone(evdb_backup_delete(s->db, "full", err));
    if (rc == EVDB_OK) rc = evdb_backup_create(s->store, "full", NULL, NULL, err);
    if (rc == EVDB_OK) rc = evdb_record_upsert(s->store, (evdb_id){ .text = "record-3" }, v, ALLOC_DIM, NULL, NULL, err);
    b.base_name = "full";
    return rc == EVDB_OK ? evdb_backup_create(s->store, "more", &b, NULL, err) : rc;
}

static evdb_status look_for_one(alloc_scene *s, evdb_error *err)
{
    const evdb_id id = { .text = "record-3" };
    evdb_backup_info **list;
    size_t count;
    evdb_status rc = evdb_backup_find(s->store, &id, 1, NULL, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == 2 && !*list[0]->problem && !*list[1]->problem, err);
    evdb_backup_list_free(list, count);
    return rc;
}

static evdb_status choose_one(alloc_scene *s, evdb_error *err)
{
    static const evdb_backup_info old = { .size = sizeof(old), .name = "old", .id = "1", .sequence = 1 };
    static const evdb_backup_info new = { .size = sizeof(new), .name = "new", .id = "2", .sequence = 2 };
    const evdb_backup_info *backups[] = { &old, &new };
    evdb_prune_options rule = EVDB_PRUNE_OPTIONS;
    evdb_backup_info **list;
    size_t count;
    rule.keep = 1;
    evdb_status rc = evdb_backup_choose(s->db, &rule, backups, 2, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == 1 && strcmp(list[0]->name, "old") == 0, err);
    evdb_backup_list_free(list, count);
    return rc;
}

evdb_status alloc_backup_folder(alloc_scene *s, evdb_error *err)
{
    evdb_restore_options o = EVDB_RESTORE_OPTIONS;
    evdb_prune_options rule = EVDB_PRUNE_OPTIONS;
    evdb_backup_info info = EVDB_BACKUP_INFO, **list;
    size_t count;
    rule.keep = 1;
    evdb_status rc = make_two(s, err);
    if (rc == EVDB_OK) rc = evdb_backup_list(s->db, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == 2 && !*list[0]->problem && !*list[1]->problem, err);
    evdb_backup_list_free(list, count);
    if (rc == EVDB_OK) rc = look_for_one(s, err);
    if (rc == EVDB_OK) rc = choose_one(s, err);
    if (rc == EVDB_OK) rc = evdb_backup_prune(s->db, &rule, &list, &count, err);
    if (rc != EVDB_OK) return rc;
    rc = alloc_expect(count == 0, err);
    evdb_backup_list_free(list, count);
    if (rc == EVDB_OK) rc = evdb_backup_verify(s->db, "more", NULL, &info, err);
    o.replace = 1;
    if (rc == EVDB_OK) rc = evdb_backup_restore(s->db, "more", "other", &o, &info, err);
    return rc == EVDB_OK ? same_count(s, "other", err) : rc;
}
