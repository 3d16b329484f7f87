/* cmd_version.c - what this build is and what this CPU gives it. Layer: server/cmd. Thread rule:
 * main thread. */
#include "server/cmd/cmd.h"

#include "engine/engine.h"

#include <stdio.h>

int cmd_version(void)
{
    char cpu[128], kernels[128];
    eng_cpu_names(cpu, sizeof(cpu), eng_cpu_flags(0));
    printf("nearfar %s (%s)\n", NF_VERSION, NF_GIT_ID);
    printf("formats: tflite onnx\n");
    printf("http: libmicrohttpd, libuv, jansson, gnutls, zlib\n");
    eng_kernel_names(kernels, sizeof(kernels), 0);
    printf("cpu: %s\n", cpu);
    printf("cpu kernels: %s\n", kernels);
    /* the library says its core only once it is loaded */
    printf("blas core: %s\n",
           eng_blas_load(NULL) ? eng_blas_core() : "none (libopenblas.so.0 is not installed)");
    return 0;
}
