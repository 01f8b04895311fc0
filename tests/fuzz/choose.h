/* choose.h - operations chosen by bytes of an input. */
#ifndef TESTS_FUZZ_CHOOSE_H
#define TESTS_FUZZ_CHOOSE_H
#include "op/op.h"

enum { CHOICE_BYTES = 2 };

/* Any two bytes choose one, by its name and not by its place in the table: inputs that are kept go on meaning what they meant when
 * operations are added. */
const op *choose_op(const uint8_t choice[CHOICE_BYTES]);

#endif
