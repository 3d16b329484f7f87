/* host_trial.c - a child process in its own network namespace. Layer: clients. Thread rule: one
 * thread. */
#include "clients/lib/host_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOPBACK 1 /* index of lo in every namespace */

static int make_tun(void)
{
    struct ifreq req = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) return errno;
    const int code = ioctl(fd, TUNSETIFF, &req) ? errno : 0;
    close(fd); /* the device goes with it */
    return code;
}

typedef struct qdisc_request { /* RTM_NEWQDISC with kind and options, each padded to 4 bytes */
    struct nlmsghdr head;
    struct tcmsg tc;
    struct rtattr kind_head;
    char kind[8];
    struct rtattr options_head;
    struct tc_netem_qopt options;
} qdisc_request;

static int add_netem(void)
{
    const qdisc_request req = {
        .head = {.nlmsg_len = sizeof(req),
                 .nlmsg_type = RTM_NEWQDISC,
                 .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
        .tc = {.tcm_family = AF_UNSPEC, .tcm_ifindex = LOOPBACK, .tcm_parent = TC_H_ROOT},
        .kind_head = {.rta_len = RTA_LENGTH(sizeof("netem")), .rta_type = TCA_KIND},
        .kind = "netem",
        .options_head = {.rta_len = RTA_LENGTH(sizeof(struct tc_netem_qopt)),
                         .rta_type = TCA_OPTIONS},
        .options = {.limit = 1000}};
    struct {
        struct nlmsghdr head;
        struct nlmsgerr answer;
        char rest[512];
    } reply;
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0) return errno;
    int code = send(fd, &req, sizeof(req), 0) == (ssize_t)sizeof(req) ? 0 : EIO;
    if (!code && (recv(fd, &reply, sizeof(reply), 0) < (ssize_t)NLMSG_LENGTH(sizeof(int)) ||
                  reply.head.nlmsg_type != NLMSG_ERROR))
        code = EIO;
    close(fd);
    return code ? code : -reply.answer.error;
}

/* The child's status is the errno; they are all below 256. */
static int in_namespace(int (*act)(void))
{
    int status = 0;
    const pid_t child = fork();
    if (child < 0) return errno;
    if (child == 0) {
        if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) _exit(errno & 0xff);
        _exit(act() & 0xff);
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int cl_trial_tun(void)
{
    return in_namespace(make_tun);
}

int cl_trial_netem(void)
{
    return in_namespace(add_netem);
}
