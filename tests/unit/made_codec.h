/* made_codec.h - codecs for tests, trained on what they ask for. */
#ifndef TESTS_MADE_CODEC_H
#define TESTS_MADE_CODEC_H
#include <evdb/codec.h>

/* A codec, trained on a sample of whatever size it asks for, `scale` times -1..1. NULL where it takes no vectors of that dimension. */
evdb_codec *made_codec(const char *spec, uint32_t dim, float scale, uint64_t *seed);
/* The same on a sample of one's own. It must succeed. */
evdb_codec *made_codec_on(const char *spec, uint32_t dim, const float *sample, size_t count);
/* The vectors there and back, to be freed like *codes. */
float *made_round_trip(const evdb_codec *c, const float *x, size_t count, char **codes);

#endif
