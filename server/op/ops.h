/* ops.h - declares each operation of ops.def as `extern const op op_NAME`. */
#ifndef OPS_H
#define OPS_H
#include "op/op.h"
#define OP(name) extern const op op_##name;
#include "op/ops.def"
#undef OP
#endif
