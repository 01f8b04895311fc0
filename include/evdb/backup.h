/* backup.h - a store as one file, and stores made of such files again.
 *
 * A backup is taken online: writers and readers go on. It holds the store as of one number of its change sequence, records with
 * their versions, codecs and all; the index is not in it, for it is derived, and neither is what was deleted (trash.h): a store that is
 * restored keeps deletes as long as this one did, and begins with an empty trash. A *full* one holds every record; an *incremental* one
 * what changed since an earlier backup, its base, and costs as much as that change. To restore from an increment the whole chain is
 * needed, from a full backup on.
 *
 * Each file describes itself and is checked to its last byte before anything is changed: a damaged, cut, swapped or hostile one is
 * refused with EVDB_CORRUPT, one of a newer evdb with EVDB_NEWER.
 *
 * With a key chunks are encrypted and the whole is authenticated (libsodium's secretstream, XChaCha20-Poly1305): nobody without it
 * can read records or change them unnoticed. What describes the backup (evdb_backup_info, names of fields) stays readable. A lost
 * key is not to be replaced. A key is borrowed for the call, and no copy outlives it. */
#ifndef EVDB_BACKUP_H
#define EVDB_BACKUP_H
#include <evdb/codec.h>
#include <evdb/transfer.h>
EVDB_BEGIN

#define EVDB_BACKUP_NAME_MAX 128u /* names match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$ */
#define EVDB_BACKUP_KEY_BYTES 32u
#define EVDB_BACKUP_CHAIN_MAX 1000u /* files in one chain */

/* What a backup is, from its first and last bytes. Returned as *const*. */
typedef struct evdb_backup_info {
    size_t size;              /* in: sizeof(*this) as the caller compiled it */
    char name[EVDB_BACKUP_NAME_MAX + 1]; /* "" = it was not given one */
    char store[EVDB_STORE_NAME_MAX + 1]; /* name of the store then ... */
    char uuid[37];            /* ... and what never changes of it */
    char id[33];              /* of this backup, random */
    char base[33];            /* id of the backup this is an increment of; "" = it is full */
    uint64_t base_sequence;   /* changes up to this number are in the base; 0 = it is full */
    uint64_t sequence;        /* of the last change it holds */
    uint64_t records;         /* in the store as of that change */
    uint64_t entries;         /* records and deletions in this file */
    uint64_t raw_bytes;       /* of them, before compression */
    uint64_t file_bytes;      /* of the file */
    int64_t created_ms, finished_ms; /* Unix time in milliseconds */
    uint32_t dim;             /* of the store when the backup began; 0 = no vector yet */
    evdb_metric metric;
    evdb_dtype dtype;
    uint32_t encrypted;       /* 1 = with a key */
    uint32_t format;          /* of the file */
    uint32_t reserved;
    char codec[EVDB_CODEC_SPEC_MAX + 1]; /* that the store's vectors are kept with; "" = none */
    char problem[256];        /* in lists: why the file cannot be used; "" = its ends are sound */
} evdb_backup_info;
#define EVDB_BACKUP_INFO { .size = sizeof(evdb_backup_info) }

typedef struct evdb_backup_options {
    size_t size;               /* EVDB_BACKUP_OPTIONS sets it */
    const evdb_backup_info *base; /* evdb_backup_write(): make an increment of this one; NULL = full */
    const char *base_name;     /* evdb_backup_create(): the same by name */
    const char *name;          /* evdb_backup_write(): to be kept in the file, or NULL */
    const unsigned char *key;  /* EVDB_BACKUP_KEY_BYTES bytes, or NULL */
    /* Called now and then; anything but 0 cancels (EVDB_CANCELLED). May be NULL. */
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records);
    void *context;
} evdb_backup_options;
#define EVDB_BACKUP_OPTIONS { .size = sizeof(evdb_backup_options) }

typedef struct evdb_restore_options {
    size_t size;               /* EVDB_RESTORE_OPTIONS sets it */
    const unsigned char *key;  /* EVDB_BACKUP_KEY_BYTES bytes; required for encrypted backups, refused for others */
    uint64_t sequence;         /* the newest state of the chain that is no later than this change; 0 = any */
    int64_t time_ms;           /* ... and finished no later than this; 0 = any */
    uint32_t replace;          /* 1 = a store of that name may be there, and is replaced */
    uint32_t reserved;
    int (*progress)(void *context, evdb_transfer_phase phase, uint64_t records); /* as in evdb_backup_options */
    void *context;
} evdb_restore_options;
#define EVDB_RESTORE_OPTIONS { .size = sizeof(evdb_restore_options) }

/* ---- through the caller's own reading and writing ---- */

/* Writes a backup to sink, which must not call this store. *out (may be NULL) receives what it is. EVDB_GONE when changes since the
 * base, or since a full one began, were trimmed (evdb_changes_trim()) or records forgotten (forget.h), EVDB_INVALID when the base is of
 * another store: take a full one then. EVDB_INVALID also when one of the two has a key and the other none. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_write(evdb_store *store, const evdb_sink *sink, const evdb_backup_options *options,
                                                       evdb_backup_info *out, evdb_error *err);

/* Reads a backup to its end and checks all of it but one thing that only a restore knows, which changes nothing then: whether a forged
 * chain holds as many records as it says. Of the options, key, progress and context count. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_check(evdb *db, const evdb_source *source, const evdb_restore_options *options,
                                                       evdb_backup_info *out, evdb_error *err);

/* The same of a whole chain, as evdb_backup_read() takes it: *out is its last file. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_check_chain(evdb *db, const evdb_source *const *sources, size_t count,
                                                             const evdb_restore_options *options, evdb_backup_info *out, evdb_error *err);

/* Bytes that can be read at any place: read() fills all of buffer or fails. */
typedef struct evdb_bytes {
    void *context;
    uint64_t size;
    evdb_status (*read)(void *context, uint64_t at, void *buffer, size_t count, evdb_error *err);
} evdb_bytes;

/* What a backup is, from both its ends: little is read. Where that fails, *out receives what its head says, if that was sound. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_look(evdb *db, const evdb_bytes *backup, evdb_backup_info *out, evdb_error *err);
/* May a backup have this name? */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_name_check(const char *name, evdb_error *err);

/* Makes a store of a chain: sources[0] is a full backup, each other one an increment of the one before it; the last one that
 * options->sequence and time_ms allow is the state that is restored. Everything is read twice: checked first, then written beside
 * what is there. The store appears, or takes the place of the one it replaces, in one step at the end, after which it is durable:
 * before that nothing has changed, whatever happens. It has an identity of its own; versions and the change sequence go on from
 * where the backup was taken, and changes before that are no longer listed. Handles to a replaced store answer EVDB_NOT_FOUND.
 * EVDB_FULL when the disk has too little room, EVDB_EXISTS, EVDB_DENIED for a wrong or missing key. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_read(evdb *db, const evdb_source *const *sources, size_t count, const char *store,
                                                      const evdb_restore_options *options, evdb_error *err);

/* ---- by name, in the database's backup folder (evdb_options.backup_dir) ---- */

/* A file appears under its name once it is whole and durable. EVDB_EXISTS when the name is taken; EVDB_GONE also when the base was
 * deleted meanwhile: no increment appears without what it builds on. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_create(evdb_store *store, const char *name, const evdb_backup_options *options,
                                                        evdb_backup_info *out, evdb_error *err);

/* All backups in the folder, sorted by name: an array of *count infos in one block, freed with evdb_backup_list_free(). Reads only
 * both ends of each file; one that is no backup, or damaged there, is listed with its problem. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_list(evdb *db, evdb_backup_info ***out, size_t *count, evdb_error *err);
EVDB_API void evdb_backup_list_free(evdb_backup_info **list, size_t count);

/* Which backups in the folder name one of count ids, at most EVDB_BATCH_MAX: what is to be deleted, or kept from others, when a record
 * had to be forgotten (forget.h). Backups of this store are looked through, and those of any that had its name. One that cannot be
 * looked through, for it is damaged, or encrypted with another key than this one (NULL = none), is listed with the reason as its problem.
 * Reads all of the files. An array as of evdb_backup_list(), to be freed with evdb_backup_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_find(evdb_store *store, const evdb_id *ids, size_t count, const unsigned char *key,
                                                      evdb_backup_info ***out, size_t *found, evdb_error *err);

/* backup: a name in the folder, or the path of a file, which has a '/' in it. Checks this file and, of an increment, all those it
 * builds on, which are looked for in the folder and beside the file. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_verify(evdb *db, const char *backup, const evdb_restore_options *options,
                                                        evdb_backup_info *out, evdb_error *err);
/* EVDB_INVALID when another one in the folder is an increment of it. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_delete(evdb *db, const char *name, evdb_error *err);

/* Which backups evdb_backup_prune() and evdb_backup_choose() keep: those that one of the rules keeps, and all that these build on. */
typedef struct evdb_prune_options {
    size_t size;               /* EVDB_PRUNE_OPTIONS sets it */
    const char *store;         /* of stores that had this name, or that do not tell; NULL = of all */
    uint32_t keep;             /* rule: of each store this many of the newest, full ones and increments alike; 0 = no such rule */
    uint32_t dry_run;          /* 1 = find what would be deleted, and delete nothing */
    int64_t since_ms;          /* rule: those that were done at this Unix time in milliseconds, or later; 0 = no such rule */
    /* Asked of each, in no order: 0 = it stays and does not count for `keep`. NULL = all count. It must not call the library. */
    int (*counts)(void *context, const evdb_backup_info *backup);
    void *context;
} evdb_prune_options;
#define EVDB_PRUNE_OPTIONS { .size = sizeof(evdb_prune_options) }

/* Deletes backups from the folder by rules, increments before what they build on. A store is told by its uuid, so those of one that was
 * dropped count for themselves. What cannot be restored (a file with a problem, an increment whose base is not there) does not count
 * and is left, with what it builds on. *out receives what was deleted, sorted by name, and with their problem those that were left
 * for it, as evdb_backup_list() does, to be freed in the same way. EVDB_INVALID without a rule. When a file cannot be removed, those
 * before it are gone; when one cannot be read (an I/O error, a file of a newer evdb), nothing is deleted. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_prune(evdb *db, const evdb_prune_options *options, evdb_backup_info ***out,
                                                       size_t *count, evdb_error *err);

/* The same choice among count backups that are kept elsewhere, as evdb_backup_look() and a name describe them: *out receives those that
 * are to be deleted, in an order in which they can be, increments before what they build on; then, with their problem, those that are
 * left for it. Deletes nothing: dry_run does not matter. Of one that could not be looked at nobody knows what it builds on: nothing
 * should be deleted then. To be freed with evdb_backup_list_free(). */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_choose(evdb *db, const evdb_prune_options *options, const evdb_backup_info *const *backups,
                                                        size_t count, evdb_backup_info ***out, size_t *chosen, evdb_error *err);

/* evdb_backup_read() of a name or path as in evdb_backup_verify(), with all that it builds on. *out (may be NULL) is the backup whose
 * state was restored. */
EVDB_API EVDB_MUST_CHECK evdb_status evdb_backup_restore(evdb *db, const char *backup, const char *store,
                                                         const evdb_restore_options *options, evdb_backup_info *out, evdb_error *err);

EVDB_END
#endif
