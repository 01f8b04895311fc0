/* mcp_session.c - implements mcp_session.h.
 *
 * The main thread answers; the reader puts what was asked into a queue. What it takes back, and a ping while one call takes long, does not wait
 * for its turn. */
#include "mcp_session.h"
#include "lines.h"
#include "mcp/hub.h"
#include "terminal.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE_MAX (32u << 20) /* bytes of one message, as over HTTP */
enum {
    QUEUE_MAX = 1024,            /* messages ... */
    QUEUE_BYTES_MAX = 64 << 20,  /* ... and their bytes that are read ahead */
    PING_MS = 100,               /* that a ping waits for one call before it */
    END_MS = 2000                /* that a signal waits for a call that does not ask whether it is wanted */
};

typedef struct session session;

/* A message, until it is answered. */
typedef struct asked {
    struct asked *next;
    session *of;
    mcp_message m;
    size_t size;
    bool too_long;
    atomic_bool cancelled;
    char text[];
} asked;

struct session {
    const mcp_caller *who;
    lines in;
    pthread_mutex_t lock; /* of the queue */
    pthread_cond_t moved;
    asked *first, **last, *current;
    size_t count, bytes;
    uint64_t pushed, taken; /* messages, ever */
    bool ended;    /* no more come */
    bool stopping; /* a signal: none is answered any more */
    bool over;     /* the answering is */
    op_exit code, read_code; /* of the answering, and of the reading */
    pthread_mutex_t out; /* at standard output */
};

/* ---- signals ---- */

static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
static int end = -1; /* eventfd: readable once the reading is to end */

static void end_reading(int number)
{
    int before = errno;
    (void)number;
    (void)!write(end, &(uint64_t){ 1 }, sizeof(uint64_t));
    errno = before;
}

static atomic_bool signalled;

static void note(int number)
{
    atomic_store(&signalled, true);
    end_reading(number);
}

/* The second signal ends the process as ever. */
static void catch_signals(void)
{
    struct sigaction before, action = { .sa_handler = note, .sa_flags = SA_RESETHAND | SA_RESTART };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN) (void)sigaction(signals[i], &action, NULL);
}

/* ---- output ---- */

static bool put_line(session *s, const char *text, size_t size)
{
    pthread_mutex_lock(&s->out);
    bool sent = fwrite(text, 1, size, stdout) == size && putchar('\n') != EOF && fflush(stdout) == 0;
    pthread_mutex_unlock(&s->out);
    return sent;
}

static bool send(void *context, const char *message, size_t size)
{
    const asked *a = context;
    return put_line(a->of, message, size);
}

static bool cancelled(void *context) { return atomic_load(&((asked *)context)->cancelled); }

/* What changes is told behind the reply to whoever asked for it. */
static bool tell(void *context, const char *message, size_t size) { return put_line(context, message, size); }

static evdb_status keep(void *context, mcp_channel *out, evdb_error *err)
{
    (void)err;
    *out = (mcp_channel){ .context = ((asked *)context)->of, .send = tell };
    return EVDB_OK;
}

/* ---- answering ---- */

static void forget(asked *a)
{
    mcp_forget(&a->m);
    free(a);
}

static evdb_status refuse_long(mcp_reply *reply, evdb_error *err)
{
    mcp_message none = { .kind = MCP_MALFORMED };
    evdb_error why;
    (void)op_fail(&why, EVDB_LIMIT, "a message may have %u MiB", MESSAGE_MAX >> 20);
    return mcp_refuse(&none, &why, reply, err);
}

/* What was taken back has no reply. */
static void answer(session *s, asked *a)
{
    mcp_channel channel = { .context = a, .send = send, .cancelled = cancelled, .keep = keep };
    mcp_caller who = *s->who;
    mcp_reply reply = MCP_REPLY;
    evdb_error err;
    who.channel = &channel;
    evdb_status rc = a->too_long ? refuse_long(&reply, &err) : mcp_answer(&a->m, &who, &reply, &err);
    if (rc == EVDB_OK) rc = op_refusals_write(who.refusals, false, &err);
    bool wanted = reply.text.size && !atomic_load(&a->cancelled);
    if (rc != EVDB_OK) s->code = complain_error(rc, &err);
    else if (wanted && !put_line(s, reply.text.text, reply.text.size)) s->code = OP_EXIT_IO; /* main() says why */
    op_out_free(&reply.text);
}

/* The next; NULL when there is none any more. */
static asked *take(session *s)
{
    pthread_mutex_lock(&s->lock);
    s->current = NULL;
    while (!s->first && !s->ended) pthread_cond_wait(&s->moved, &s->lock);
    asked *a = s->stopping ? NULL : s->first;
    if (a) {
        s->first = a->next;
        if (!s->first) s->last = &s->first;
        s->count--;
        s->bytes -= a->size;
        s->taken++;
        s->current = a;
    }
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
    return a;
}

static void answer_all(session *s)
{
    for (asked *a; s->code == OP_EXIT_OK && (a = take(s));) {
        if (!atomic_load(&a->cancelled)) answer(s, a);
        pthread_mutex_lock(&s->lock);
        s->current = NULL;
        pthread_mutex_unlock(&s->lock);
        forget(a);
    }
    mcp_hub_close(s->who->hub); /* subscriptions end with their results; before it is over, since a store may make it wait */
    pthread_mutex_lock(&s->lock);
    s->over = true;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
}

/* ---- reading ---- */

/* True when somebody has moved before so many milliseconds were over. Under the lock. */
static bool wait_ms(session *s, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (ms % 1000) * 1000000;
    until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_cond_timedwait(&s->moved, &s->lock, &until) == 0;
}

static uint64_t push(session *s, asked *a)
{
    pthread_mutex_lock(&s->lock);
    while (s->count && !s->over && !atomic_load(&signalled) && (s->count >= QUEUE_MAX || s->bytes + a->size > QUEUE_BYTES_MAX))
        (void)wait_ms(s, PING_MS);
    *s->last = a;
    s->last = &a->next;
    s->count++;
    s->bytes += a->size;
    uint64_t number = ++s->pushed;
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
    return number;
}

/* The newest, which still waits. Under the lock. */
static asked *pull_last(session *s)
{
    asked **link = &s->first;
    while ((*link)->next) link = &(*link)->next;
    asked *a = *link;
    *link = NULL;
    s->last = link;
    s->count--;
    s->bytes -= a->size;
    s->pushed--;
    return a;
}

/* Answers a ping out of turn when a call before it takes long. */
static void hurry(session *s, uint64_t number)
{
    asked *late = NULL;
    pthread_mutex_lock(&s->lock);
    for (uint64_t seen = s->taken; !late && s->taken < number && !s->over; seen = s->taken)
        while (s->taken == seen && !s->over && !late)
            if (!wait_ms(s, PING_MS) && s->taken == seen) late = pull_last(s);
    pthread_mutex_unlock(&s->lock);
    if (!late) return;
    mcp_reply reply = MCP_REPLY;
    if (mcp_answer(&late->m, s->who, &reply, NULL) == EVDB_OK) (void)put_line(s, reply.text.text, reply.text.size);
    op_out_free(&reply.text);
    forget(late);
}

static void cancel(asked *a, const json_t *id)
{
    if (a && a->m.kind == MCP_REQUEST && json_equal(a->m.id, id)) atomic_store(&a->cancelled, true);
}

static void take_back(session *s, const mcp_message *m)
{
    const json_t *id = json_object_get(m->params, "requestId");
    pthread_mutex_lock(&s->lock);
    if (id) cancel(s->current, id);
    for (asked *a = s->first; id && a; a = a->next) cancel(a, id);
    pthread_mutex_unlock(&s->lock);
}

static bool is(const asked *a, mcp_kind kind, const char *method) { return a->m.kind == kind && strcmp(a->m.method, method) == 0; }

static evdb_status accept_line(session *s, const char *line, size_t length, bool too_long, evdb_error *err)
{
    asked *a = calloc(1, sizeof *a + (too_long ? 0 : length));
    if (!a) return op_fail(err, EVDB_NO_MEMORY, "out of memory for a message of %zu bytes", length);
    a->of = s;
    a->too_long = too_long;
    if (!too_long) {
        memcpy(a->text, line, length);
        a->size = length;
        mcp_read(a->text, length, &a->m);
    }
    if (is(a, MCP_NOTIFICATION, "notifications/cancelled")) take_back(s, &a->m); /* a subscription is ended in its turn */
    bool ping = is(a, MCP_REQUEST, "ping");
    uint64_t number = push(s, a);
    if (ping) hurry(s, number);
    return EVDB_OK;
}

static bool blank(const char *line, size_t length)
{
    while (length && (line[length - 1] == '\r' || line[length - 1] == ' ' || line[length - 1] == '\t')) length--;
    return length == 0;
}

static evdb_status read_all(session *s, evdb_error *err)
{
    const char *line;
    size_t length;
    lines_got got;
    evdb_status rc = EVDB_OK;
    while (rc == EVDB_OK && (got = lines_next(&s->in, &line, &length)) != LINES_END) {
        if (got == LINES_FAILED) rc = op_fail(err, EVDB_IO, "cannot read standard input: %s", strerror(errno));
        else if (got == LINES_TOO_LONG || !blank(line, length)) rc = accept_line(s, line, length, got == LINES_TOO_LONG, err);
    }
    return rc;
}

/* A call that does not ask is not waited for: what it has committed is on disk. */
static void give_up(session *s)
{
    bool moving = true;
    if (s->current) atomic_store(&s->current->cancelled, true);
    while (!s->over && moving) moving = wait_ms(s, END_MS);
    if (s->over) return;
    signal(SIGTERM, SIG_DFL);
    (void)raise(SIGTERM);
}

/* Until all is answered, or a signal: clients end the input first and send one to what has not ended then. */
static void wait_for_end(void)
{
    struct pollfd ending = { .fd = end, .events = POLLIN };
    while (poll(&ending, 1, -1) < 0 && errno == EINTR) continue;
}

static void *read_input(void *context)
{
    session *s = context;
    evdb_error err;
    evdb_status rc = read_all(s, &err);
    if (rc != EVDB_OK) s->read_code = complain_error(rc, &err);
    pthread_mutex_lock(&s->lock);
    s->ended = true;
    s->stopping = atomic_load(&signalled);
    pthread_cond_broadcast(&s->moved);
    pthread_mutex_unlock(&s->lock);
    wait_for_end();
    pthread_mutex_lock(&s->lock);
    s->stopping = atomic_load(&signalled);
    if (s->stopping) give_up(s);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* There is one client, whose requests all belong together. */
static evdb_status open_hub(mcp_caller *who, session *s, evdb_error *err)
{
    asked nothing = { .of = s };
    mcp_channel channel = { .context = &nothing, .send = send, .keep = keep };
    mcp_caller opening;
    who->session = 1;
    who->hub = mcp_hub_open(who->db);
    opening = *who;
    opening.channel = &channel;
    return who->hub ? mcp_hub_attach(who->hub, &opening, err) : op_fail(err, EVDB_NO_MEMORY, "out of memory");
}

static void make_condition(pthread_cond_t *moved)
{
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC); /* who sets the clock back lengthens no wait */
    pthread_cond_init(moved, &clock);
    pthread_condattr_destroy(&clock);
}

op_exit mcp_session(const mcp_caller *who)
{
    mcp_caller client = *who;
    session s = { .who = &client, .in = LINES(STDIN_FILENO, MESSAGE_MAX), .lock = PTHREAD_MUTEX_INITIALIZER, .out = PTHREAD_MUTEX_INITIALIZER };
    pthread_t reader;
    evdb_error err;
    s.last = &s.first;
    make_condition(&s.moved);
    s.in.end = end = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (end < 0) return complain_error(op_fail(&err, EVDB_IO, "cannot make an event descriptor: %s", strerror(errno)), &err);
    catch_signals();
    evdb_status rc = open_hub(&client, &s, &err);
    if (rc == EVDB_OK && pthread_create(&reader, NULL, read_input, &s) != 0) rc = op_fail(&err, EVDB_NO_MEMORY, "cannot start a thread");
    if (rc != EVDB_OK) {
        mcp_hub_close(client.hub);
        return complain_error(rc, &err);
    }
    answer_all(&s);
    end_reading(0); /* an answer that cannot be written ends it all */
    pthread_join(reader, NULL);
    while (s.first) {
        asked *a = s.first;
        s.first = a->next;
        forget(a);
    }
    pthread_cond_destroy(&s.moved);
    lines_free(&s.in);
    close(end);
    return s.code != OP_EXIT_OK ? s.code : s.read_code;
}
