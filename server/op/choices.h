/* choices.h - the closed sets of names that operations take and answer. */
#ifndef CHOICES_H
#define CHOICES_H
#include "op/op.h"
extern const op_choice choice_client; /* evdb_client_method */
extern const op_choice choice_metric, choice_dtype, choice_id_type, choice_change, choice_format, choice_index, choice_codec_stage,
    choice_compression, choice_lost;
extern const op_choice choice_write; /* evdb_write */
extern const op_choice choice_put;   /* those of evdb_write that put whole records */
#endif
