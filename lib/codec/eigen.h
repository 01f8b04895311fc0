/* eigen.h - eigenvalues and eigenvectors of a symmetric matrix: Householder's reduction to a tridiagonal one, then the QL algorithm with
 * implicit shifts (G. H. Golub, C. F. Van Loan: Matrix Computations, 8.3). */
#ifndef EVDB_CODEC_EIGEN_H
#define EVDB_CODEC_EIGEN_H
#include "codec/codec.h"

/* a: n rows of n doubles, of which those on and right of the diagonal count; destroyed. values: n of them, largest first; row i of
 * vectors (n x n) is of values[i]. Rows are orthonormal whatever the matrix is, as long as it is finite. EVDB_CANCELLED. */
evdb_status eigen_symmetric(const evdb_allocator *mem, const codec_training *t, double *a, uint32_t n, double *values, double *vectors,
                            evdb_error *err);
#endif
