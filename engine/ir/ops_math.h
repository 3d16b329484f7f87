/* ops_math.h - operators on numbers: elementwise, comparisons, reductions. Layer: ir.
 * A row is explained in ops.h. Binary ops broadcast as NumPy does. */
#ifndef IR_OPS_MATH_H
#define IR_OPS_MATH_H

#define IR_MATH_MAP(X)                                                                             \
    X(ABS, 1, 1, 1, same, elem)                                                                    \
    X(NEG, 1, 1, 1, same, elem)                                                                    \
    X(SIGN, 1, 1, 1, same, elem)                                                                   \
    X(CEIL, 1, 1, 1, same, elem)                                                                   \
    X(FLOOR, 1, 1, 1, same, elem)                                                                  \
    X(ROUND, 1, 1, 1, same, elem) /* halves to even */                                             \
    X(SQRT, 1, 1, 1, same, elem)                                                                   \
    X(RSQRT, 1, 1, 1, same, elem)                                                                  \
    X(SQUARE, 1, 1, 1, same, elem)                                                                 \
    X(RECIPROCAL, 1, 1, 1, same, elem)                                                             \
    X(EXP, 1, 1, 1, same, elem)                                                                    \
    X(LOG, 1, 1, 1, same, elem)                                                                    \
    X(SIN, 1, 1, 1, same, elem)                                                                    \
    X(COS, 1, 1, 1, same, elem)                                                                    \
    X(TAN, 1, 1, 1, same, elem)                                                                    \
    X(ASIN, 1, 1, 1, same, elem)                                                                   \
    X(ACOS, 1, 1, 1, same, elem)                                                                   \
    X(ATAN, 1, 1, 1, same, elem)                                                                   \
    X(SINH, 1, 1, 1, same, elem)                                                                   \
    X(COSH, 1, 1, 1, same, elem)                                                                   \
    X(ASINH, 1, 1, 1, same, elem)                                                                  \
    X(ACOSH, 1, 1, 1, same, elem)                                                                  \
    X(ATANH, 1, 1, 1, same, elem)                                                                  \
    X(ERF, 1, 1, 1, same, elem)                                                                    \
    X(TANH, 1, 1, 1, same, elem)                                                                   \
    X(LOGISTIC, 1, 1, 1, same, elem)                                                               \
    X(HARD_SWISH, 1, 1, 1, same, elem)                                                             \
    X(SELU, 1, 1, 1, same, elem) /* attr.scalar: beta is gamma; 0, 0: the usual */                 \
    X(SOFTPLUS, 1, 1, 1, same, elem)                                                               \
    X(SOFTSIGN, 1, 1, 1, same, elem)                                                               \
    X(SILU, 1, 1, 1, same, elem) /* x * logistic(attr.scalar.alpha * x); 0: of x */                \
    X(MISH, 1, 1, 1, same, elem)                                                                   \
    X(BITWISE_NOT, 1, 1, 1, same, elem)                                                            \
    X(LEAKY_RELU, 1, 1, 1, same, elem) /* attr.scalar.alpha, as the next three */                  \
    X(ELU, 1, 1, 1, same, elem)                                                                    \
    X(CELU, 1, 1, 1, same, elem)                                                                   \
    X(THRESHOLDED_RELU, 1, 1, 1, same, elem)                                                       \
    X(HARD_SIGMOID, 1, 1, 1, same, elem) /* attr.scalar: alpha * x + beta within 0 .. 1 */         \
    X(SHRINK, 1, 1, 1, same, elem)       /* attr.scalar: alpha is the bias, beta the threshold */  \
    X(GELU, 1, 1, 1, same, elem)         /* attr.misc.flag: by tanh */                             \
    X(PRELU, 2, 2, 1, broadcast, pair)   /* x, slope */                                            \
    X(POW, 2, 2, 1, broadcast, pair)                                                               \
    X(MINIMUM, 2, 2, 1, broadcast, pair)                                                           \
    X(MAXIMUM, 2, 2, 1, broadcast, pair)                                                           \
    X(SQUARED_DIFFERENCE, 2, 2, 1, broadcast, pair)                                                \
    X(FLOOR_DIV, 2, 2, 1, broadcast, pair)                                                         \
    X(FLOOR_MOD, 2, 2, 1, broadcast, pair)                                                         \
    X(ATAN2, 2, 2, 1, broadcast, pair)                                                             \
    X(BITWISE_AND, 2, 2, 1, broadcast, pair)                                                       \
    X(BITWISE_OR, 2, 2, 1, broadcast, pair)                                                        \
    X(BITWISE_XOR, 2, 2, 1, broadcast, pair)                                                       \
    X(EQUAL, 2, 2, 1, broadcast, compare)                                                          \
    X(NOT_EQUAL, 2, 2, 1, broadcast, compare)                                                      \
    X(LESS, 2, 2, 1, broadcast, compare)                                                           \
    X(LESS_EQUAL, 2, 2, 1, broadcast, compare)                                                     \
    X(GREATER, 2, 2, 1, broadcast, compare)                                                        \
    X(GREATER_EQUAL, 2, 2, 1, broadcast, compare)                                                  \
    X(LOGICAL_AND, 2, 2, 1, broadcast, logic)                                                      \
    X(LOGICAL_OR, 2, 2, 1, broadcast, logic)                                                       \
    X(LOGICAL_XOR, 2, 2, 1, broadcast, logic)                                                      \
    X(LOGICAL_NOT, 1, 1, 1, same, logic)                                                           \
    X(MOD, 2, 2, 1, broadcast, pair) /* sign of the first, as fmod; FLOOR_MOD: of the second */    \
    X(BIT_SHIFT, 2, 2, 1, broadcast, pair) /* attr.misc.flag: to the right */                      \
    X(IS_NAN, 1, 1, 1, same, any)                                                                  \
    X(IS_INF, 1, 1, 1, same, any)        /* attr.misc.flag: + does not count, flag2: - does not */ \
    X(BITCAST, 1, 1, 1, same, any)       /* the same bytes as a type of the same size */           \
    X(SELECT, 3, 3, 1, broadcast, any)   /* condition BOOL, then, else */                          \
    X(REDUCE_SUM, 1, 2, 1, reduce, elem) /* x, axes?; attr.reduce, as the rest down to CUM_PROD */ \
    X(MEAN, 1, 2, 1, reduce, elem)                                                                 \
    X(REDUCE_MAX, 1, 2, 1, reduce, elem)                                                           \
    X(REDUCE_MIN, 1, 2, 1, reduce, elem)                                                           \
    X(REDUCE_PROD, 1, 2, 1, reduce, elem)                                                          \
    X(REDUCE_ANY, 1, 2, 1, reduce, elem)                                                           \
    X(REDUCE_ALL, 1, 2, 1, reduce, elem)                                                           \
    X(REDUCE_L1, 1, 2, 1, reduce, elem)                                                            \
    X(REDUCE_L2, 1, 2, 1, reduce, elem)                                                            \
    X(REDUCE_SUM_SQUARE, 1, 2, 1, reduce, elem)                                                    \
    X(REDUCE_LOG_SUM, 1, 2, 1, reduce, elem)                                                       \
    X(REDUCE_LOG_SUM_EXP, 1, 2, 1, reduce, elem)                                                   \
    X(ARG_MAX, 1, 2, 1, reduce, index) /* along one axis */                                        \
    X(ARG_MIN, 1, 2, 1, reduce, index)                                                             \
    X(CUMSUM, 2, 2, 1, cumulate, elem) /* x, axis */                                               \
    X(CUM_PROD, 2, 2, 1, cumulate, elem)                                                           \
    X(LOG_SOFTMAX, 1, 1, 1, softmax, elem) /* attr.softmax.axis */                                 \
    X(HARDMAX, 1, 1, 1, softmax, elem)     /* 1 at the first greatest, else 0 */

#endif /* IR_OPS_MATH_H */
