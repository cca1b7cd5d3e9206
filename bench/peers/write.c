/* What any server has to do at least: write PORT SOCKETS
 *
 * It takes so many WebSocket connections, says what graphql-transport-ws says to greet them, and answers each line
 * `tell BYTES` on stdin by writing to all of them one text frame of that length, with a write() for each. It ends with
 * its stdin, and by itself after five minutes. It checks nothing: clients that measure are not to be doubted.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static const char ACCEPTED[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                               "Sec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n";

static void say(int fd, const char *text) {
    char frame[127] = {(char)0x81, (char)strlen(text)};
    memcpy(frame + 2, text, strlen(text));
    if (write(fd, frame, 2 + strlen(text)) < 0) exit(1);
}

/* What a client says: its frames are told apart by their lengths, as much of it as is needed. */
static void heard(int fd, const char *data) {
    if (!strncmp(data, "GET ", 4)) {
        if (write(fd, ACCEPTED, sizeof ACCEPTED - 1) < 0) exit(1);
    } else if (strstr(data + 6, "connection_init")) {
        say(fd, "{\"type\":\"connection_ack\"}");
    } else {
        say(fd, "{\"id\":\"1\",\"type\":\"next\",\"payload\":{}}");
    }
}

static void tell(const int *sockets, int total, int size) {
    static char frame[70000];
    int at = 2;
    frame[0] = (char)0x81;
    if (size < 126) {
        frame[1] = (char)size;
    } else {
        frame[1] = 126;
        frame[2] = (char)(size >> 8);
        frame[3] = (char)size;
        at = 4;
    }
    memset(frame + at, 'x', size);
    for (int i = 0; i < total; i++)
        if (write(sockets[i], frame, at + size) < 0) exit(1);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    alarm(300);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int total = atoi(argv[2]), taken = 0, one = 1, epoll = epoll_create1(0);
    int listener = socket(AF_INET, SOCK_STREAM, 0), *sockets = calloc(total, sizeof *sockets);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) return 1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, found[256];
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
    event.data.fd = 0;
    epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &event);
    for (;;) {
        int ready = epoll_wait(epoll, found, 256, -1);
        for (int i = 0; i < ready; i++) {
            int fd = found[i].data.fd;
            static char data[70000];
            if (fd == listener && taken < total) {
                fd = accept(listener, NULL, NULL);
                setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                sockets[taken++] = event.data.fd = fd;
                epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
            } else if (fd == 0) {
                if (!fgets(data, sizeof data, stdin)) return 0;
                tell(sockets, taken, atoi(data + 5));
            } else {
                ssize_t size = read(fd, data, sizeof data - 1);
                if (size <= 0) return 0;
                memset(data + size, 0, 1);
                heard(fd, data);
            }
        }
    }
}
