/* interrupt.h - ^C during work that can be given up in good order. */
#ifndef INTERRUPT_H
#define INTERRUPT_H
#include <stdbool.h>

/* From now on the first SIGINT, SIGTERM or SIGHUP is only noted; a second one ends the process as ever. System calls that
 * wait return early. */
void interrupt_note(void);
bool interrupt_noted(void);
/* Ends that; a signal that was noted ends the process now. */
void interrupt_obey(void);
#endif
