/* Many clients of graphql-transport-ws, counting what they are told: watch PORT SOCKETS FILE [STALLED]
 *
 * FILE has the subscribe message but for its id. Each socket greets, subscribes, and waits for its first event; then
 * READY is written. STALLED of them never read again. Afterwards each line `expect EVENTS` on stdin is answered, once
 * all others have that many further events or ten seconds have passed, with
 *   DONE events bytes first median p99 last
 * the times in nanoseconds of CLOCK_MONOTONIC. `churn SECONDS` opens and closes sockets meanwhile, 64 at a time,
 * and is answered with CHURNED count. It ends with its stdin, and by itself after five minutes.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { GREETING, INIT, SUBSCRIBED, WATCHING, STALLED };
enum { TIMEOUT_NS = 10 };

typedef struct {
    int fd, stage, have;
    long long left;
    unsigned char head[10];
    char opening[512];
    int opened;
} Socket;

static Socket *sockets;
static long long *times;
static long long count, expected, bytes;
static int total, ready, stalled, epoll;
static char *message;
static struct sockaddr_in address;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void fail(const char *why) {
    fprintf(stderr, "%s: %s\n", why, strerror(errno));
    exit(1);
}

/* A masked frame whose mask is zero (RFC 6455, section 5.3). */
static void say(Socket *s, int opcode, const char *text) {
    static unsigned char frame[70000];
    size_t length = strlen(text), at = 2;
    frame[0] = 0x80 | opcode;
    if (length < 126) {
        frame[1] = 0x80 | length;
    } else {
        frame[1] = 0x80 | 126;
        frame[2] = length >> 8;
        frame[3] = length;
        at = 4;
    }
    memset(frame + at, 0, 4);
    memcpy(frame + at + 4, text, length);
    if (write(s->fd, frame, at + 4 + length) != (ssize_t)(at + 4 + length)) fail("write");
}

static void shake(int fd) {
    static const char request[] =
        "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";
    if (write(fd, request, sizeof request - 1) < 0) fail("handshake");
}

/* Each hundred sockets come from an address of their own: a server may bound how many one client has. */
static int reach(int index) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in own = {.sin_family = AF_INET};
    if (fd < 0) fail("socket");
    own.sin_addr.s_addr = htonl(0x7f010000 + index / 100 + 1);
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&own, sizeof own)) fail("bind");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("connect");
    return fd;
}

static void begin(int index) {
    Socket *s = &sockets[index];
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};
    int small = 8192;
    s->fd = reach(index);
    if (index >= total - stalled) setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    shake(s->fd);
    fcntl(s->fd, F_SETFL, O_NONBLOCK);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, s->fd, &event)) fail("epoll");
}

/* A whole text frame has come. */
static void heard(int index) {
    Socket *s = &sockets[index];
    char text[70000];
    if (s->stage == INIT) {
        snprintf(text, sizeof text, "{\"id\":\"%08d-0000-4000-8000-000000000000\",%s", index, message + 1);
        say(s, 1, text);
        s->stage = SUBSCRIBED;
    } else if (s->stage == SUBSCRIBED) {
        s->stage = index >= total - stalled ? STALLED : WATCHING;
        if (s->stage == STALLED) epoll_ctl(epoll, EPOLL_CTL_DEL, s->fd, NULL);
        ready++;
    } else if (count < expected) {
        times[count++] = now();
    }
}

/* The head of a frame is whole: how long it is. */
static int headed(Socket *s) {
    int needed = 2;
    if (s->have >= 2 && (s->head[1] & 127) == 126) needed = 4;
    if (s->have >= 2 && (s->head[1] & 127) == 127) needed = 10;
    if (s->have < needed) return 0;
    s->left = s->head[1] & 127;
    if (needed > 2) {
        s->left = 0;
        for (int i = 2; i < needed; i++) s->left = s->left << 8 | s->head[i];
    }
    return 1;
}

static void frames(int index, const unsigned char *data, ssize_t size) {
    Socket *s = &sockets[index];
    while (size > 0) {
        if (s->left < 0) {
            s->head[s->have++] = *data++;
            size--;
            if (!headed(s)) continue;
        }
        long long part = s->left < size ? s->left : size;
        data += part;
        size -= part;
        s->left -= part;
        if (s->left > 0) continue;
        int opcode = s->head[0] & 15;
        s->left = -1;
        s->have = 0;
        if (opcode == 1) heard(index);
        if (opcode == 9) say(s, 10, "");
        if (opcode == 8) {
            fprintf(stderr, "socket %d was closed\n", index);
            exit(1);
        }
    }
}

static void readable(int index) {
    static unsigned char data[1 << 18];
    Socket *s = &sockets[index];
    ssize_t size = read(s->fd, data, sizeof data);
    if (size < 0 && errno == EAGAIN) return;
    if (size <= 0) fail("a socket has ended");
    bytes += size;
    if (s->stage != GREETING) {
        frames(index, data, size);
        return;
    }
    if (s->opened + size >= (ssize_t)sizeof s->opening) size = sizeof s->opening - 1 - s->opened;
    memcpy(s->opening + s->opened, data, size);
    s->opened += size;
    s->opening[s->opened] = 0;
    if (!strstr(s->opening, "\r\n\r\n")) return;
    if (strncmp(s->opening, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "refused: %.40s\n", s->opening);
        exit(1);
    }
    s->stage = INIT;
    s->left = -1;
    say(s, 1, "{\"type\":\"connection_init\"}");
}

static void pump(int milliseconds) {
    struct epoll_event events[512];
    int found = epoll_wait(epoll, events, 512, milliseconds);
    for (int i = 0; i < found; i++) readable(events[i].data.u32);
}

static int ascending(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return (x > y) - (x < y);
}

static void expect(long long events) {
    long long deadline = now() + TIMEOUT_NS * 1000000000LL;
    expected = events * (total - stalled);
    count = bytes = 0;
    times = realloc(times, expected * sizeof *times);
    printf("EXPECTING\n");
    fflush(stdout);
    while (count < expected && now() < deadline) pump(100);
    qsort(times, count, sizeof *times, ascending);
    if (!count) times[0] = 0;
    printf("DONE %lld %lld %lld %lld %lld %lld\n", count, bytes, times[0], times[count / 2], times[count * 99 / 100],
           count ? times[count - 1] : 0);
    fflush(stdout);
    expected = 0;
}

static void churn(double seconds) {
    long long deadline = now() + (long long)(seconds * 1e9), done = 0;
    char answer[4096];
    while (now() < deadline) {
        int open[64];
        for (int i = 0; i < 64; i++) {
            open[i] = reach(total + (int)((done + i) % 10000));
            shake(open[i]);
        }
        for (int i = 0; i < 64; i++) {
            if (read(open[i], answer, sizeof answer) <= 0) fail("churn");
            close(open[i]);
        }
        done += 64;
        pump(0);
    }
    printf("CHURNED %lld\n", done);
    fflush(stdout);
}

int main(int argc, char **argv) {
    if (argc < 4) return 2;
    alarm(300);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    address.sin_family = AF_INET;
    address.sin_port = htons(atoi(argv[1]));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    total = atoi(argv[2]);
    stalled = argc > 4 ? atoi(argv[4]) : 0;
    FILE *file = fopen(argv[3], "r");
    message = calloc(1, 65536);
    if (!file || !fread(message, 1, 65535, file)) fail(argv[3]);
    sockets = calloc(total, sizeof *sockets);
    times = malloc(sizeof *times);
    epoll = epoll_create1(0);
    for (int i = 0; i < total; i++) {
        begin(i);
        if (i % 64 == 63)
            while (ready < i - 512) pump(1000);
        pump(0);
    }
    while (ready < total) pump(1000);
    printf("READY\n");
    fflush(stdout);
    char line[100];
    struct pollfd orders = {.fd = 0, .events = POLLIN};
    for (;;) {
        if (poll(&orders, 1, 0) == 0) {
            pump(10);
            continue;
        }
        if (!fgets(line, sizeof line, stdin)) break;
        if (!strncmp(line, "expect ", 7)) expect(atoll(line + 7));
        if (!strncmp(line, "churn ", 6)) churn(atof(line + 6));
    }
    return 0;
}
