/* codec_trial.h - a codec made, tried on vectors, and asked for distances. */
#ifndef TESTS_UNIT_CODEC_TRIAL_H
#define TESTS_UNIT_CODEC_TRIAL_H
#include <evdb/codec.h>

/* Trained on those vectors, with a fixed seed. */
evdb_codec *trial_codec(const char *spec, uint32_t dim, const float *sample, size_t count);
/* The vectors there and back. */
void trial_round(const evdb_codec *c, const float *x, size_t count, float *out);
/* Mean of |x - x'|^2 by mean of |x|^2. */
double trial_error(const evdb_codec *c, const float *x, size_t count);
/* Distances on codes are those to the decoded vectors, under every metric that codes have. */
void trial_distances(const evdb_codec *c, const float *x, size_t count, const float *query);
/* Saves and loads: what comes back does the same, and parameters that are none are found. */
void trial_saved(const evdb_codec *c, const float *x, size_t count);
/* Puts a float into a saved codec, and a checksum that is right. */
void trial_damage(unsigned char *bytes, size_t size, size_t at, float value);
/* count vectors in a few clumps, whose elements depend on each other. */
void trial_vectors(uint64_t *seed, float *x, size_t count, uint32_t dim);
#endif
