/* rows_salvage_row.c - the part of rows_salvage_private.h that tells rows apart by their shape and their checksums. */
#include "disk/rows_salvage_private.h"
#include <string.h>

static bool is_number(const leaf_value *v) { return v->kind == LEAF_INTEGER && v->number >= 0; }

static bool is_id(const leaf_value *v, evdb_id *out)
{
    *out = (evdb_id){ .number = v->number };
    if (v->kind == LEAF_INTEGER) return true;
    *out = (evdb_id){ .text = v->bytes, .length = v->size };
    return v->kind == LEAF_TEXT && v->size && v->size <= EVDB_ID_BYTES_MAX;
}

bool salvage_is_record(const leaf_row *row, rows_record *out)
{
    enum { ID, SLOT, SEQUENCE, CHECKSUM, METADATA, EXPIRES, AUTHOR, WRITTEN, COLUMNS };
    const leaf_value *v = row->values;
    *out = (rows_record){ 0 };
    /* one written before there were expiries, or authors, has no column for them */
    if (row->keyed || row->columns < EXPIRES || row->columns > COLUMNS || !is_id(&v[ID], &out->id) || !is_number(&v[SLOT]) || !is_number(&v[SEQUENCE]) ||
        v[CHECKSUM].kind != LEAF_INTEGER || v[METADATA].kind != LEAF_TEXT)
        return false;
    bool expires = row->columns > EXPIRES && v[EXPIRES].kind != LEAF_NULL;
    if (expires && v[EXPIRES].kind != LEAF_INTEGER) return false;
    out->slot = (uint64_t)v[SLOT].number;
    out->version = (uint64_t)v[SEQUENCE].number;
    out->expires = expires ? v[EXPIRES].number : 0;
    out->metadata = v[METADATA].bytes; /* not terminated */
    out->metadata_length = v[METADATA].size;
    if (row->columns > AUTHOR && v[AUTHOR].kind == LEAF_TEXT) {
        out->author = v[AUTHOR].bytes;
        out->author_length = v[AUTHOR].size;
    }
    if (row->columns > WRITTEN && v[WRITTEN].kind == LEAF_INTEGER) out->written = v[WRITTEN].number;
    return out->author_length <= EVDB_AUTHOR_BYTES_MAX && v[CHECKSUM].number == rows_record_checksum(out);
}

bool salvage_is_vector(const leaf_row *row, rows_vector *out)
{
    enum { SLOT, SEQUENCE, ID, CHECKSUM, BYTES, CODEC, COLUMNS };
    const leaf_value *v = row->values;
    *out = (rows_vector){ 0 };
    /* one written before there were codecs has no column for them */
    if (!row->keyed || row->rowid < 0 || row->columns < CODEC || row->columns > COLUMNS || v[SLOT].kind != LEAF_NULL ||
        !is_number(&v[SEQUENCE]) || !is_id(&v[ID], &out->id) || v[CHECKSUM].kind != LEAF_INTEGER || v[BYTES].kind != LEAF_BLOB)
        return false;
    if (row->columns == COLUMNS && (!is_number(&v[CODEC]) || v[CODEC].number > UINT32_MAX)) return false;
    out->slot = (uint64_t)row->rowid;
    out->sequence = (uint64_t)v[SEQUENCE].number;
    out->bytes = v[BYTES].bytes;
    out->size = v[BYTES].size;
    out->codec = row->columns == COLUMNS ? (uint32_t)v[CODEC].number : 0;
    return v[CHECKSUM].number == rows_checksum(&out->id, out->slot, out->sequence, out->codec, out->bytes, out->size);
}

bool salvage_is_codec(const leaf_row *row, char spec[EVDB_CODEC_SPEC_MAX + 1], rows_codec *out)
{
    enum { ID, SPEC, OWN, LOSS, BYTES, CHECKSUM, COLUMNS };
    const leaf_value *v = row->values;
    bool real = v[LOSS].kind == LEAF_REAL, empty = v[BYTES].kind == LEAF_NULL;
    if (!row->keyed || row->rowid < 1 || row->rowid > UINT32_MAX || row->columns != COLUMNS || v[ID].kind != LEAF_NULL ||
        v[SPEC].kind != LEAF_TEXT || v[SPEC].size > EVDB_CODEC_SPEC_MAX || !is_number(&v[OWN]) || (!real && v[LOSS].kind != LEAF_INTEGER) ||
        (!empty && v[BYTES].kind != LEAF_BLOB) || v[CHECKSUM].kind != LEAF_INTEGER)
        return false;
    memcpy(spec, v[SPEC].bytes, v[SPEC].size);
    spec[v[SPEC].size] = 0;
    *out = (rows_codec){ .id = (uint32_t)row->rowid, .own = v[OWN].number != 0, .spec = spec,
                         .loss = real ? v[LOSS].real : (double)v[LOSS].number, .bytes = empty ? NULL : v[BYTES].bytes, .size = v[BYTES].size };
    return v[CHECKSUM].number == rows_codec_checksum(out);
}

bool salvage_is_change(const leaf_row *row, rows_change *out, int64_t *live)
{
    enum { SEQUENCE, KIND, SLOT, FREED, LIVE, ID, COLUMNS };
    const leaf_value *v = row->values;
    *out = (rows_change){ .slot = -1, .freed = -1 };
    if (!row->keyed || row->rowid < 1 || row->columns != COLUMNS || v[SEQUENCE].kind != LEAF_NULL || v[KIND].kind != LEAF_INTEGER ||
        v[KIND].number < EVDB_CHANGE_PUT || v[KIND].number > EVDB_CHANGE_DELETE || !is_number(&v[LIVE]))
        return false;
    bool erased = v[ID].kind == LEAF_BLOB && !v[ID].size;
    if (!erased && !is_id(&v[ID], &out->id)) return false;
    if (erased) out->id = (evdb_id){ .text = "" };
    if (v[SLOT].kind != LEAF_NULL && !is_number(&v[SLOT])) return false;
    if (v[FREED].kind != LEAF_NULL && !is_number(&v[FREED])) return false;
    out->sequence = (uint64_t)row->rowid;
    out->kind = (evdb_change_kind)v[KIND].number;
    *live = v[LIVE].number;
    return true;
}
