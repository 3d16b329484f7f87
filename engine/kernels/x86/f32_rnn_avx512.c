/* f32_rnn_avx512.c - steps of float LSTM and GRU, AVX-512. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx512.h"

#include "engine/kernels/simd/f32_rnn.h"
