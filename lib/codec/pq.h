/* pq.h - parameters of product quantisation, which are those of the rotation learnt for it, too. */
#ifndef EVDB_CODEC_PQ_H
#define EVDB_CODEC_PQ_H
#include "codec/stage.h"

/* Reads PARTS[,BITS]; sets s->text and s->sample. *parts is 0 where it depends on a dimension that is not known. */
evdb_status pq_configure(codec_stage *s, const char *parameters, uint32_t *parts, uint32_t *bits, evdb_error *err);
#endif
