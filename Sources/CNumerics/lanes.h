/* What moves numbers between the lanes of vectors. It is here since Swift knows no shuffles, and lanes that are named one by one are taken out of
 * registers one by one. Compiled with the kernels, for the processor that they are for. */
#ifndef CAUSAL_LANES_H
#define CAUSAL_LANES_H

#include <stddef.h>

/* The totals of several vectors at once: as many vectors as each has lanes, and of each the sum of its lanes. Neighbouring lanes of two vectors are added
 * into one vector until a single one is left. */
#define CAUSAL_TOTALS(name, scalar, lanes, evens, odds)                                                                   \
    static inline void name(const scalar *vectors, scalar *totals) {                                                      \
        typedef scalar vector __attribute__((ext_vector_type(lanes), aligned(sizeof(scalar))));                           \
        vector v[lanes];                                                                                                  \
        for (int i = 0; i < lanes; i++) v[i] = ((const vector *)vectors)[i];                                              \
        for (int count = lanes / 2; count > 0; count /= 2)                                                                \
            for (int i = 0; i < count; i++)                                                                               \
                v[i] = __builtin_shufflevector(v[2 * i], v[2 * i + 1], evens) + __builtin_shufflevector(v[2 * i], v[2 * i + 1], odds); \
        *(vector *)totals = v[0];                                                                                         \
    }
#define CAUSAL_EVENS_4 0, 2, 4, 6
#define CAUSAL_EVENS_8 CAUSAL_EVENS_4, 8, 10, 12, 14
#define CAUSAL_EVENS_16 CAUSAL_EVENS_8, 16, 18, 20, 22, 24, 26, 28, 30
#define CAUSAL_ODDS_4 1, 3, 5, 7
#define CAUSAL_ODDS_8 CAUSAL_ODDS_4, 9, 11, 13, 15
#define CAUSAL_ODDS_16 CAUSAL_ODDS_8, 17, 19, 21, 23, 25, 27, 29, 31

/* The transpose of a square, as many rows as a vector has lanes. Each round puts the numbers of two rows, of which one is half the rows after the other,
 * in turn into two: of the two indices of a number, written in bits one after the other, it moves the first bit to the end. */
#define CAUSAL_TRANSPOSE(name, scalar, lanes, lows, highs)                                                                \
    static inline void name(const scalar *from, ptrdiff_t stride, scalar *to, ptrdiff_t target_stride) {                  \
        typedef scalar vector __attribute__((ext_vector_type(lanes), aligned(sizeof(scalar))));                           \
        vector v[lanes], turned[lanes];                                                                                   \
        for (int i = 0; i < lanes; i++) v[i] = *(const vector *)(from + i * stride);                                      \
        for (int moved = 1; moved < lanes; moved *= 2) {                                                                  \
            for (int i = 0; i < lanes / 2; i++) {                                                                         \
                turned[2 * i] = __builtin_shufflevector(v[i], v[i + lanes / 2], lows);                                    \
                turned[2 * i + 1] = __builtin_shufflevector(v[i], v[i + lanes / 2], highs);                               \
            }                                                                                                             \
            for (int i = 0; i < lanes; i++) v[i] = turned[i];                                                             \
        }                                                                                                                 \
        for (int i = 0; i < lanes; i++) *(vector *)(to + i * target_stride) = v[i];                                       \
    }
#define CAUSAL_LOWS_4 0, 4, 1, 5
#define CAUSAL_HIGHS_4 2, 6, 3, 7
#define CAUSAL_LOWS_8 0, 8, 1, 9, 2, 10, 3, 11
#define CAUSAL_HIGHS_8 4, 12, 5, 13, 6, 14, 7, 15
#define CAUSAL_LOWS_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define CAUSAL_HIGHS_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31

#ifdef __clang__
CAUSAL_TOTALS(causal_totals_float_8, float, 8, CAUSAL_EVENS_8, CAUSAL_ODDS_8)
CAUSAL_TOTALS(causal_totals_double_4, double, 4, CAUSAL_EVENS_4, CAUSAL_ODDS_4)
CAUSAL_TOTALS(causal_totals_float_16, float, 16, CAUSAL_EVENS_16, CAUSAL_ODDS_16)
CAUSAL_TOTALS(causal_totals_double_8, double, 8, CAUSAL_EVENS_8, CAUSAL_ODDS_8)
CAUSAL_TRANSPOSE(causal_transpose_float_8, float, 8, CAUSAL_LOWS_8, CAUSAL_HIGHS_8)
CAUSAL_TRANSPOSE(causal_transpose_double_4, double, 4, CAUSAL_LOWS_4, CAUSAL_HIGHS_4)
CAUSAL_TRANSPOSE(causal_transpose_float_16, float, 16, CAUSAL_LOWS_16, CAUSAL_HIGHS_16)
CAUSAL_TRANSPOSE(causal_transpose_double_8, double, 8, CAUSAL_LOWS_8, CAUSAL_HIGHS_8)
#endif

#endif
