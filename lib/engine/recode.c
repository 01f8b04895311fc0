/* recode.c - implements engine/recode.h. */
#include "engine/recode.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/try.h"
#include "engine/recode_private.h"
#include "engine/stored.h"
#include "platform/lock.h"
#include "platform/thread.h"
#include "platform/wake.h"
#include <stdio.h>
#include <string.h>

static const char lock_name[] = "recode.lock";

void recode_init(recoder *r)
{
    pthread_mutex_init(&r->turn, NULL);
    pthread_mutex_init(&r->lock, NULL);
}

void recode_destroy(engine *e)
{
    recoder *r = &e->recode;
    atomic_store(&r->stop, true);
    wake_all(&r->word);
    thread_job_join(&r->job);
    pthread_mutex_destroy(&r->turn);
    pthread_mutex_destroy(&r->lock);
}

static void say(engine *e, const char *message)
{
    pthread_mutex_lock(&e->recode.lock);
    size_t length = strnlen(message, sizeof(e->recode.problem) - 1);
    memcpy(e->recode.problem, message, length);
    e->recode.problem[length] = 0;
    pthread_mutex_unlock(&e->recode.lock);
    if (*message && e->db->log) e->db->log(e->db->log_context, message);
}

void recode_problem(engine *e, char *out, size_t size)
{
    pthread_mutex_lock(&e->recode.lock);
    snprintf(out, size, "%s", e->recode.problem);
    pthread_mutex_unlock(&e->recode.lock);
}

evdb_status recode_commit(engine *e, evdb_status (*work)(void *context, rows *r, evdb_error *err), void *context, evdb_error *err)
{
    commit_request request = { .kind = COMMIT_WORK, .work = work, .context = context };
    return commit_run(e, &request, err);
}

static evdb_status look(engine *e, rows_coding *coding, evdb_error *err)
{
    rows_reader *rd = NULL;
    evdb_status rc;
    TRY(rows_read(e->rows, &rd, err));
    TRY(engine_learn(e, rd, err));
    TRY(codecs_learn(e, rd, err));
    codecs_coding(e, coding);
out:
    rows_read_end(rd);
    return rc;
}

/* ---- which codec ---- */

typedef struct choice {
    rows_coding before, after;
    const char *spec;  /* of a codec that is new; "" = none is */
    double loss;
    buf saved;         /* with what it was trained to; empty = what its name says is all of it */
    bool overtaken;    /* somebody chose another one meanwhile */
} choice;

static evdb_status choose(void *context, rows *r, evdb_error *err)
{
    choice *c = context;
    rows_coding now;
    evdb_status rc = EVDB_OK;
    rows_coding_within(r, &now);
    c->overtaken = now.version != c->before.version;
    if (c->overtaken) return EVDB_OK;
    rows_codec row = { .spec = c->spec, .loss = c->loss, .bytes = c->saved.at, .size = c->saved.size };
    if (*c->spec) TRY(rows_codec_add(r, &row, &c->after.codec, err));
    rc = rows_coding_set(r, &c->after, err);
out:
    return rc;
}

evdb_status recode_choose(engine *e, const char *spec, evdb_error *err)
{
    choice c = { .spec = "" };
    uint64_t needed = 0;
    evdb_status rc;
    TRY(look(e, &c.before, err));
    if (strcmp(c.before.wanted, spec) == 0) goto out;
    c.after = c.before;
    c.after.version++;
    snprintf(c.after.wanted, sizeof(c.after.wanted), "%s", spec);
    if (*spec) TRY(recode_needed(spec, atomic_load(&e->dim), false, &needed, err));
    if (!needed) { /* nothing to wait for */
        c.spec = spec;
        c.after.codec = 0;
        c.after.recode_from = 0;
    }
    TRY(recode_commit(e, choose, &c, err));
    if (c.overtaken) TRY(error_set(err, EVDB_CONFLICT, "the store got another codec meanwhile"));
    TRY(look(e, &c.before, err));
out:
    return rc;
}

/* ---- training ---- */

/* Is the codec in force the one that is wanted? */
static evdb_status is_in_force(rows_reader *rd, const rows_coding *coding, bool *out, evdb_error *err)
{
    rows_codec row;
    evdb_status rc = EVDB_OK;
    *out = !*coding->wanted && !coding->codec;
    if (coding->codec) rc = rows_codec_get(rd, coding->codec, &row, err);
    if (rc == EVDB_OK && coding->codec) *out = strcmp(row.spec, coding->wanted) == 0;
    return rc;
}

/* Trains the codec that is wanted, unless it is the one in force; *waits: there are too few vectors for that yet. */
static evdb_status bring_in_force(engine *e, const rows_coding *coding, bool now, bool *trained, bool *waits, evdb_error *err)
{
    choice c = { .before = *coding, .after = *coding, .spec = coding->wanted };
    rows_reader *rd = NULL;
    codec *made = NULL;
    uint64_t needed;
    rows_tip tip;
    bool good;
    evdb_status rc;
    buf_init(&c.saved, &e->db->platform.mem);
    *trained = *waits = false;
    TRY(rows_read(e->rows, &rd, err));
    TRY(is_in_force(rd, coding, &good, err));
    bool drifted = good && drift_found(e, coding->codec);
    if (good && !drifted) goto out;
    TRY(recode_needed(coding->wanted, atomic_load(&e->dim), now, &needed, err));
    TRY(rows_tip_now(rd, &tip, err));
    *waits = !drifted && (tip.live < needed || !atomic_load(&e->dim));
    if (*waits) goto out;
    atomic_store(&e->recode.phase, RECODE_TRAINING);
    TRY(recode_train(e, rd, coding->wanted, &made, &c.loss, err));
    TRY(codec_save(made, &c.saved, err));
    c.after.recode_from = 0;
    c.after.version++;
    rows_read_end(rd); /* in memory there is one connection for all */
    rd = NULL;
    TRY(recode_commit(e, choose, &c, err));
    drift_forget(e);
    *trained = true;
out:
    atomic_store(&e->codecs.untrained, *waits);
    rows_read_end(rd);
    codec_free(made);
    buf_free(&c.saved);
    return rc;
}

/* ---- writing again ---- */

typedef struct batch {
    engine *engine;
    rows_reader *reader;
    const codec *codec; /* NULL = elements */
    rows_coding before, after;
    stored_room room, coded;
    rows_vector *vectors; /* as they shall be; ids and bytes as offsets into `bytes` until all are there */
    size_t count;
    buf bytes;
    bool overtaken;
} batch;

/* Offsets by one, so that none is NULL. */
static bool keep(buf *b, const void *bytes, size_t size, const void **out)
{
    *out = (const void *)(uintptr_t)(b->size + 1);
    return buf_add(b, bytes, size);
}

static evdb_status encode(void *context, const rows_vector *v, evdb_error *err)
{
    batch *b = context;
    engine *e = b->engine;
    uint32_t dim = atomic_load(&e->dim);
    rows_vector *to = &b->vectors[b->count];
    const float *floats;
    const void *bytes;
    size_t size;
    evdb_status rc;
    TRY(stored_vector(e, b->reader, &v->id, v->codec, v->bytes, v->size, dim, &b->room, &floats, err));
    bytes = floats;
    size = dim * sizeof(float);
    if (b->codec) TRY(stored_encode(e, b->codec, floats, &b->coded, &bytes, &size, NULL, err));
    *to = *v;
    to->codec = b->before.codec;
    to->size = size;
    bool kept = keep(&b->bytes, bytes, size, &to->bytes) && (!v->id.text || keep(&b->bytes, v->id.text, v->id.length, (const void **)&to->id.text));
    if (!kept) TRY(error_no_memory(err, b->bytes.size + size, "vectors to write again"));
    b->count++;
    b->after.recode_from = (int64_t)v->slot + 1;
out:
    return rc;
}

/* Once all are there. */
static void offsets_to_pointers(batch *b)
{
    for (rows_vector *v = b->vectors; v < b->vectors + b->count; v++) {
        v->bytes = b->bytes.at + ((uintptr_t)v->bytes - 1);
        if (v->id.text) v->id.text = b->bytes.at + ((uintptr_t)v->id.text - 1);
    }
}

static evdb_status write(void *context, rows *r, evdb_error *err)
{
    batch *b = context;
    rows_coding now;
    evdb_status rc = EVDB_OK;
    rows_coding_within(r, &now);
    b->overtaken = now.version != b->before.version || now.recode_from != b->before.recode_from;
    if (b->overtaken) return EVDB_OK;
    TRY(rows_recode(r, b->vectors, b->count, err));
    if (b->after.recode_from < 0) TRY(rows_codecs_sweep(r, err));
    rc = rows_coding_set(r, &b->after, err);
out:
    return rc;
}

static size_t batch_size(const engine *e)
{
    uint32_t dim = atomic_load(&e->dim);
    size_t fit = RECODE_BATCH_BYTES / ((dim ? dim : 1) * sizeof(float));
    return fit < 1 ? 1 : fit > RECODE_BATCH ? RECODE_BATCH : fit;
}

/* One batch; *more is false when no vector is of another codec any more. */
static evdb_status write_some(engine *e, const rows_coding *coding, bool *more, evdb_error *err)
{
    const evdb_allocator *mem = &e->db->platform.mem;
    batch b = { .engine = e, .before = *coding, .after = *coding };
    const codec_met *met = NULL;
    size_t most = batch_size(e);
    evdb_status rc;
    buf_init(&b.bytes, mem);
    if (!(b.vectors = mem_array(mem, most, sizeof(*b.vectors)))) TRY(error_no_memory(err, most * sizeof(*b.vectors), "vectors to write again"));
    TRY(rows_read(e->rows, &b.reader, err));
    TRY(codecs_get(e, b.reader, coding->codec, atomic_load(&e->dim), &met, err));
    b.codec = met ? met->codec : NULL;
    TRY(rows_vectors_of_others(b.reader, (uint64_t)coding->recode_from, coding->codec, most, encode, &b, err));
    rows_read_end(b.reader);
    b.reader = NULL;
    offsets_to_pointers(&b);
    if (!b.count) b.after.recode_from = -1;
    TRY(recode_commit(e, write, &b, err));
    *more = b.overtaken || b.count;
out:
    rows_read_end(b.reader);
    stored_room_free(e, &b.room);
    stored_room_free(e, &b.coded);
    mem_free(mem, b.vectors);
    buf_free(&b.bytes);
    return rc;
}

/* ---- all of it ---- */

/* What is in memory was made of other codes: it is made anew, and its graph built again where there was one. */
static evdb_status renew_view(engine *e, evdb_error *err)
{
    indexed_state state = { 0 };
    view_index *index = view_hold(&e->view);
    bool outdated = index && index->form.version != atomic_load(&e->codecs.version);
    if (index) indexed_state_now(index->vectors, &state);
    view_let_go(e, index);
    evdb_status rc = outdated ? view_reload(e, err) : EVDB_OK;
    if (rc == EVDB_OK && outdated && state.linked) indexer_begin(e);
    return rc;
}

static evdb_status step(engine *e, bool now, bool *more, evdb_error *err)
{
    rows_coding coding;
    bool waits;
    evdb_status rc;
    *more = false;
    TRY(look(e, &coding, err));
    TRY(bring_in_force(e, &coding, now, more, &waits, err));
    if (*more || coding.recode_from < 0) goto out;
    atomic_store(&e->recode.phase, RECODE_WRITING);
    TRY(write_some(e, &coding, more, err));
out:
    return rc;
}

static evdb_status take_lock(engine *e, bool waits, char **path, lock_file *lock, bool *mine, evdb_error *err)
{
    char *dir = NULL;
    evdb_status rc = engine_dir(e->db, e->uuid, &dir, err);
    *mine = rc == EVDB_OK;
    if (rc != EVDB_OK || !dir) return rc;
    TRY(engine_file(e->db, dir, lock_name, path, err));
    int failed = lock_open(&e->db->platform, *path, lock);
    if (!failed) failed = lock_try(lock, mine);
    while (!failed && !*mine && waits && !atomic_load(&e->recode.stop)) {
        (void)wake_wait(&e->recode.word, atomic_load(&e->recode.word), RECODE_WAIT_NS);
        failed = lock_try(lock, mine);
    }
    if (failed) rc = error_errno(err, failed, "lock", *path);
out:
    mem_free(&e->db->platform.mem, dir);
    return rc;
}

/* Not in the background but `now`: the caller waits for who is at it, and does with fewer vectors. */
static evdb_status run(engine *e, bool now, evdb_error *err)
{
    char *path = NULL;
    lock_file lock = { .fd = -1 };
    bool mine = false, more = true;
    evdb_status rc;
    pthread_mutex_lock(&e->recode.turn);
    TRY(take_lock(e, now, &path, &lock, &mine, err));
    while (mine && more && rc == EVDB_OK && !atomic_load(&e->recode.stop)) rc = step(e, now, &more, err);
    if (mine && rc == EVDB_OK && !more) rc = renew_view(e, err);
out:
    atomic_store(&e->recode.phase, RECODE_IDLE);
    if (mine) lock_drop(&lock); /* not by closing alone: a child that was forked meanwhile has it open too */
    lock_close(&lock);
    mem_free(&e->db->platform.mem, path);
    pthread_mutex_unlock(&e->recode.turn);
    return rc;
}

evdb_status recode_run(engine *e, evdb_error *err) { return run(e, true, err); }

static void *background(void *context)
{
    engine *e = context;
    evdb_error why;
    evdb_status rc = run(e, false, &why);
    say(e, rc == EVDB_OK || rc == EVDB_CANCELLED ? "" : why.message);
    atomic_store(&e->recode.job.running, false);
    return NULL;
}

void recode_begin(engine *e)
{
    recoder *r = &e->recode;
    uint64_t now = engine_now_ns(e), next = atomic_load(&r->next_look);
    if (atomic_load(&r->job.running) || now < next || !atomic_compare_exchange_strong(&r->next_look, &next, now + RECODE_LOOK_NS)) return;
    pthread_mutex_lock(&r->lock);
    if (!atomic_load(&r->stop)) thread_job_begin(&r->job, background, e);
    pthread_mutex_unlock(&r->lock);
}
