/* interrupt.c - implements interrupt.h. */
#include "interrupt.h"
#include <signal.h>
#include <stddef.h>

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
enum { SIGNALS = sizeof(signals) / sizeof(*signals) };

static volatile sig_atomic_t noted;
static struct sigaction before[SIGNALS];

static void note(int number) { noted = number; }

void interrupt_note(void)
{
    struct sigaction action = { .sa_handler = note, .sa_flags = SA_RESETHAND };
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        (void)sigaction(signals[i], NULL, &before[i]); /* fails only for a bad number, as below */
        if (before[i].sa_handler != SIG_IGN) (void)sigaction(signals[i], &action, NULL); /* nohup stays in force */
    }
}

bool interrupt_noted(void) { return noted != 0; }

void interrupt_obey(void)
{
    for (size_t i = 0; i < SIGNALS; i++) (void)sigaction(signals[i], &before[i], NULL);
    if (noted) (void)raise(noted);
}
