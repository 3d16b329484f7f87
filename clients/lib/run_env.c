/* run_env.c - kernel, CPU, time, command. Layer: clients. Thread rule: no shared state. */
#include "clients/lib/run_env.h"

#include "clients/lib/text_out.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <time.h>

static void read_cpu(char *to, size_t room)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "r");
    snprintf(to, room, "unknown");
    while (f && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        line[strcspn(line, "\n")] = '\0';
        snprintf(to, room, "%s", colon + 1 + strspn(colon + 1, " "));
        break;
    }
    if (f) fclose(f);
}

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:=,%+@";
    return word[0] && word[strspn(word, plain)] == '\0';
}

static void add_word(cl_text *t, const char *word)
{
    if (t->len) cl_text_add(t, " ", 1);
    if (is_plain(word)) {
        cl_text_add(t, word, strlen(word));
        return;
    }
    cl_text_add(t, "'", 1);
    for (; *word; word++)
        cl_text_add(t, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
    cl_text_add(t, "'", 1);
}

void cl_env_get(cl_env *out, int argc, char **argv)
{
    struct utsname u;
    struct tm tm;
    const time_t now = time(NULL);
    cl_text command = {.most = sizeof(out->command) - 1};

    memset(out, 0, sizeof(*out));
    if (!gmtime_r(&now, &tm) ||
        !strftime(out->started, sizeof(out->started), "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out->started, sizeof(out->started), "unknown");
    if (uname(&u) == 0)
        snprintf(out->kernel, sizeof(out->kernel), "%.40s %.60s %.20s", u.sysname, u.release,
                 u.machine);
    else
        snprintf(out->kernel, sizeof(out->kernel), "unknown");
    read_cpu(out->cpu, sizeof(out->cpu));
    add_word(&command, "nearfar-client");
    for (int i = 0; i < argc; i++)
        add_word(&command, argv[i]);
    snprintf(out->command, sizeof(out->command), "%s", command.s ? command.s : "");
    cl_text_fini(&command);
    out->version = NF_VERSION;
    out->git = NF_GIT_ID;
}
