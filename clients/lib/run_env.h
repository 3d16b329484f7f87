/* run_env.h - where and how a run was made. Layer: clients. Thread rule: no shared state. */
#ifndef CL_RUN_ENV_H
#define CL_RUN_ENV_H

typedef struct cl_env {
    char started[32]; /* RFC 3339, UTC */
    char kernel[128], cpu[128];
    char congestion[16]; /* TCP algorithm of this side, "" until known */
    char command[1024];  /* words quoted for a shell */
    const char *version, *git;
} cl_env;

/** Looks around; what it cannot find out is "unknown". */
void cl_env_get(cl_env *out, int argc, char **argv);

#endif /* CL_RUN_ENV_H */
