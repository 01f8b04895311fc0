/* rows_salvage_gather.c - the part of rows_salvage_private.h that reads every page of a damaged rows.db. */
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "disk/rows_salvage_private.h"
#include <string.h>

enum {
    MAP_FIRST = 2, MAP_ENTRY = 5, MAP_ENTRIES = IMAGE_USABLE / MAP_ENTRY, MAP_FREE = 2, /* pages that say what the others are */
    FREE_LIST = 32, /* in page 1: where the list of free pages begins */
    FIELDS_PAGE = 4 /* root of `fields`: tables made in a new file get the first pages, in order, and keep them */
};

static const char *const texts[S_COUNT] = {
    [S_RECORD] = "INSERT INTO r VALUES(?1,?2,?3,?4)",
    [S_VECTOR] = "INSERT INTO v VALUES(?1,?2,?3,?4,?5)",
    [S_CHANGE] = "INSERT OR REPLACE INTO c VALUES(?1,?2,?3,?4)",
    [S_FREE] = "INSERT OR REPLACE INTO f VALUES(?1)",
    [S_CODEC] = "INSERT OR REPLACE INTO k VALUES(?1,?2,?3,?4,?5)",
};

static evdb_status statement(salvage *s, enum salvage_statement which, sqlite3_stmt **out, evdb_error *err)
{
    evdb_status rc = rows_statement(&s->scratch, &s->statements[which], texts[which], err);
    *out = s->statements[which];
    return rc;
}

/* ---- pages that belong to nothing ---- */

static uint32_t big(const unsigned char *p) { return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3]; }

static void mark_free(salvage *s, uint32_t page)
{
    if (page && page <= s->image.pages) s->free[page / 8] |= (unsigned char)(1u << page % 8);
}

/* Which page of the pointer map tells of a page; itself for one of the map. */
static uint32_t map_of(uint32_t page) { return MAP_FIRST + (page - MAP_FIRST) / (MAP_ENTRIES + 1) * (MAP_ENTRIES + 1); }

static evdb_status read_map(salvage *s, unsigned char *page, evdb_error *err)
{
    bool sound;
    evdb_status rc = EVDB_OK;
    for (uint32_t map = MAP_FIRST; map <= s->image.pages; map += MAP_ENTRIES + 1) {
        TRY(image_page(&s->image, map, page, &sound, err));
        if (!sound) s->doubt = true;
        for (uint32_t i = 0; sound && i < MAP_ENTRIES; i++)
            if (page[(size_t)i * MAP_ENTRY] == MAP_FREE) mark_free(s, map + 1 + i);
    }
out:
    return rc;
}

/* The same once more, as a list: where the map is damaged it is all there is. */
static evdb_status read_list(salvage *s, unsigned char *page, evdb_error *err)
{
    bool sound;
    evdb_status rc = image_page(&s->image, 1, page, &sound, err);
    uint32_t trunk = rc == EVDB_OK && sound ? big(page + FREE_LIST) : 0;
    for (uint32_t steps = 0; rc == EVDB_OK && trunk && steps < s->image.pages; steps++) {
        rc = image_page(&s->image, trunk, page, &sound, err);
        if (rc != EVDB_OK || !sound) break;
        mark_free(s, trunk);
        uint32_t count = big(page + 4);
        for (uint32_t i = 0; i < count && i < IMAGE_USABLE / 4 - 2; i++) mark_free(s, big(page + 8 + (size_t)i * 4));
        trunk = big(page);
    }
    return rc;
}

/* Of pages of which some may be old ones nobody can say which are free. */
static evdb_status find_free(salvage *s, evdb_error *err)
{
    evdb_status rc = EVDB_OK;
    size_t bytes = s->image.pages / 8 + 1;
    mem_free(&s->platform->mem, s->free);
    if (!(s->free = mem_zero(&s->platform->mem, bytes))) return error_no_memory(err, bytes, "a map of pages");
    s->doubt = s->image.stale;
    if (s->doubt) return EVDB_OK;
    TRY(read_map(s, s->streams[0].page, err));
    TRY(read_list(s, s->streams[0].page, err));
out:
    return rc;
}

/* ---- rows ---- */

static evdb_status put_record(salvage *s, const rows_record *r, int64_t place, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = statement(s, S_RECORD, &st, err);
    if (rc != EVDB_OK || r->version > s->limit) return rc;
    rows_bind_id(st, 1, &r->id);
    sqlite3_bind_int64(st, 2, (int64_t)r->version);
    sqlite3_bind_int64(st, 3, (int64_t)r->slot);
    sqlite3_bind_int64(st, 4, place);
    s->found.id_type = r->id.text ? EVDB_ID_STRING : EVDB_ID_INTEGER;
    return sql_run(&s->scratch, st, err);
}

static evdb_status put_vector(salvage *s, const rows_vector *v, int64_t place, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = statement(s, S_VECTOR, &st, err);
    if (rc != EVDB_OK || v->sequence > s->limit) return rc;
    sqlite3_bind_int64(st, 1, (int64_t)v->slot);
    sqlite3_bind_int64(st, 2, (int64_t)v->sequence);
    rows_bind_id(st, 3, &v->id);
    sqlite3_bind_int64(st, 4, v->codec);
    sqlite3_bind_int64(st, 5, place);
    if (!v->codec) s->found.vector_bytes = v->size;
    return sql_run(&s->scratch, st, err);
}

static evdb_status put_change(salvage *s, const rows_change *c, int64_t live, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = statement(s, S_CHANGE, &st, err);
    if (rc != EVDB_OK || c->sequence > s->limit) return rc;
    sqlite3_bind_int64(st, 1, (int64_t)c->sequence);
    sqlite3_bind_int64(st, 2, c->kind);
    rows_bind_id(st, 3, &c->id);
    sqlite3_bind_int64(st, 4, live);
    return sql_run(&s->scratch, st, err);
}

static evdb_status put_free(salvage *s, int64_t slot, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = statement(s, S_FREE, &st, err);
    if (rc != EVDB_OK) return rc;
    sqlite3_bind_int64(st, 1, slot);
    return sql_run(&s->scratch, st, err);
}

static evdb_status put_codec(salvage *s, const rows_codec *c, evdb_error *err)
{
    sqlite3_stmt *st;
    evdb_status rc = statement(s, S_CODEC, &st, err);
    if (rc != EVDB_OK) return rc;
    sqlite3_bind_int64(st, 1, c->id);
    sqlite3_bind_text(st, 2, c->spec, -1, SQLITE_STATIC);
    sqlite3_bind_int(st, 3, c->own);
    sqlite3_bind_double(st, 4, c->loss);
    if (c->bytes) sqlite3_bind_blob64(st, 5, c->bytes, c->size, SQLITE_STATIC);
    else sqlite3_bind_null(st, 5);
    return sql_run(&s->scratch, st, err);
}

static void text_into(char *at, size_t most, const leaf_value *v)
{
    size_t size = v->size < most ? v->size : most;
    memcpy(at, v->bytes, size);
    at[size] = 0;
}

static void take_field(salvage *s, const leaf_row *row)
{
    const leaf_value *name = &row->values[1];
    if (row->rowid < 0 || row->rowid >= EVDB_STORE_FIELDS_MAX || !name->size || name->size > EVDB_FIELD_NAME_MAX) return;
    text_into(s->fields[row->rowid], EVDB_FIELD_NAME_MAX, name);
}

static bool sensible(const evdb_store_info *i, bool codec)
{
    bool custom = i->metric == EVDB_CUSTOM;
    return evdb_metric_name(i->metric) && evdb_dtype_name(i->dtype) && i->dim <= EVDB_DIM_MAX && (unsigned)i->id_type <= EVDB_ID_STRING &&
           custom == (i->metric_name != NULL) && !(i->dtype != EVDB_F32 && (custom || codec)) && !(custom && codec);
}

static evdb_status take_store(salvage *s, const leaf_row *row, evdb_error *err)
{
    enum { FORMAT, UUID, NAME, DIM, METRIC, DTYPE, ID_TYPE, M, EF, THREADS, CREATED, CODEC, CODEC_ID, CODING, RECODE, TTL, FORGOTTEN, AUTHORS, TRASH };
    const leaf_value *v = row->values;
    if (v[UUID].size != strlen(s->uuid) || memcmp(v[UUID].bytes, s->uuid, v[UUID].size) != 0) return EVDB_OK;
    if (v[FORMAT].number > ROWS_FORMAT)
        return error_set(err, EVDB_NEWER, "%s: format %lld, but this evdb knows formats up to %d", s->path, (long long)v[FORMAT].number,
                         ROWS_FORMAT);
    evdb_store_info i = { .format = ROWS_FORMAT, .dim = (uint32_t)v[DIM].number, .metric = (evdb_metric)v[METRIC].number,
                          .dtype = (evdb_dtype)v[DTYPE].number, .id_type = (evdb_id_type)v[ID_TYPE].number, .m = (uint32_t)v[M].number,
                          .ef_construction = (uint32_t)v[EF].number, .index_threads = (uint32_t)v[THREADS].number,
                          .created_ms = v[CREATED].number };
    if (v[METRIC].kind == LEAF_TEXT) {
        text_into(s->metric_name, EVDB_METRIC_NAME_MAX, &v[METRIC]);
        i.metric = EVDB_CUSTOM;
        i.metric_name = s->metric_name;
    }
    bool codec = row->columns > CODEC && v[CODEC].kind == LEAF_TEXT;
    if (!sensible(&i, codec)) return EVDB_OK;
    if (codec) {
        text_into(s->codec, EVDB_CODEC_SPEC_MAX, &v[CODEC]);
        i.codec = s->codec;
        memcpy(s->found.coding.wanted, s->codec, sizeof(s->codec));
    }
    if (row->columns > CODEC) {
        s->found.coding.codec = (uint32_t)v[CODEC_ID].number;
        s->found.coding.version = (uint32_t)v[CODING].number;
    }
    if (row->columns > TTL) i.ttl_ms = v[TTL].number;
    if (row->columns > TRASH) i.trash_ms = v[TRASH].number;
    if (row->columns > AUTHORS) i.authors = v[AUTHORS].number != 0;
    memcpy(i.uuid, s->uuid, sizeof(i.uuid));
    s->info = i;
    s->found.info = &s->info;
    return EVDB_OK;
}

static bool is_store(const leaf_row *row)
{
    enum { BEFORE_CODECS = 11, BEFORE_EXPIRY = 15, BEFORE_TRASH = 17, COLUMNS = 19 };
    const leaf_value *v = row->values;
    bool shape = row->columns == BEFORE_CODECS || row->columns == BEFORE_EXPIRY || row->columns == BEFORE_TRASH || row->columns == COLUMNS;
    return row->keyed && shape && v[0].kind == LEAF_INTEGER && v[1].kind == LEAF_TEXT;
}

static evdb_status take(salvage *s, const leaf_row *row, int64_t place, evdb_error *err)
{
    rows_record record;
    rows_vector vector;
    rows_codec codec;
    rows_change change;
    char spec[EVDB_CODEC_SPEC_MAX + 1];
    int64_t live;
    if (salvage_is_record(row, &record)) return put_record(s, &record, place, err);
    if (salvage_is_vector(row, &vector)) return put_vector(s, &vector, place, err);
    if (salvage_is_change(row, &change, &live)) return put_change(s, &change, live, err);
    if (salvage_is_codec(row, spec, &codec)) return put_codec(s, &codec, err);
    if (is_store(row)) return take_store(s, row, err);
    if (row->keyed && row->columns == 1 && row->values[0].kind == LEAF_NULL) return put_free(s, row->rowid, err);
    if (row->keyed && row->columns == 2 && row->values[0].kind == LEAF_NULL && row->values[1].kind == LEAF_TEXT) take_field(s, row);
    return EVDB_OK;
}

evdb_status salvage_gather(salvage *s, evdb_error *err)
{
    salvage_stream *in = &s->streams[0];
    bool sound, found;
    evdb_status rc;
    s->found = (salvage_found){ .coding = { .recode_from = -1 }, .fields_lost = true };
    memset(s->fields, 0, sizeof(s->fields));
    TRY(find_free(s, err));
    for (uint32_t page = 1; page <= s->image.pages; page++) {
        if (s->free[page / 8] >> page % 8 & 1 || (page >= MAP_FIRST && map_of(page) == page)) continue;
        TRY(image_page(&s->image, page, in->page, &sound, err));
        if (page == FIELDS_PAGE && sound) s->found.fields_lost = false;
        for (uint32_t row = 0, count = sound ? leaf_rows(in->page, page) : 0; row < count; row++) {
            TRY(leaf_read(&s->image, in->page, page, row, &in->payload, &in->row, &found, err));
            if (found) TRY(take(s, &in->row, SALVAGE_PLACE(page, row), err));
        }
    }
    /* they are written once, all together: an old version of their page has none */
    if (s->image.stale && !*s->fields[0]) s->found.fields_lost = true;
out:
    in->number = 0;
    return rc;
}
