/* f32_rnn_avx2.c - steps of float LSTM and GRU, AVX2. Layer: kernels.
 * Thread rule: pure functions. */
#include "engine/kernels/x86/vf_avx2.h"

#include "engine/kernels/simd/f32_rnn.h"
