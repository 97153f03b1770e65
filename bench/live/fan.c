/* Load for servers that send events over WebSocket: one thread, so that it is cheap beside what it measures.
 *
 * It opens sockets, each of which says its own lines, and then has events published by PostgreSQL, each with the time
 * in its text. For every phase it writes one line of JSON: how many events came a second, and how late. Nothing here
 * knows GraphQL: what a socket has to say comes from a file, one line a socket, its messages parted by tabs. A message
 * is sent when the answer to the one before has come.
 *
 *     cc -O2 -o fan fan.c
 *     fan --port 8000 --script lines --postgres /folder/.s.PGSQL.5432 --phase window:4:5 --phase rate:2:5
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PHASES = 8, PATIENT_SECONDS = 20, MOST_CODES = 65536, SLOT_NS = 10000, SLOTS = 3000000 /* of 10 us: half a minute */ };
enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
static const uint32_t POSTGRES = UINT32_MAX; /* its number among the sockets */
static const uint64_t SECOND = 1000000000ull;

typedef enum { CONNECTING, UPGRADING, TALKING, READY, GONE } State;

typedef struct {
    int fd;
    State state;
    bool is_lazy;       /* reads nothing after it is ready */
    char *next;         /* what it still has to say */
    char *held;         /* bytes of a frame that is not whole yet */
    size_t held_size;
    uint64_t events;
} Socket;

typedef struct {
    bool is_rate; /* else so many events are kept on their way */
    double amount;
    double seconds;
} Phase;

/* What the command line says. */
static int port = 8000, first_chat = 0, chats = 1, at_once = 8, lazy = 0;
static bool server_greets = false, waits_for_answer = false;
static const char *path = "/graphql", *protocol = "", *script = NULL, *postgres_path = NULL, *database = "postgres", *padding = "";
static pid_t server = 0;
static double warm = 1;
static Phase phases[MOST_PHASES];
static int phase_count = 0;

static Socket *sockets;
static int count = 0, started = 0, ready = 0, gone = 0;
static int poll_fd, postgres_fd = -1;
static uint64_t published = 0, delivered = 0;
static uint64_t counted_from = 0, counted_until = 0; /* a phase without its warming up */
static uint64_t in_time = 0, counted = 0, counted_published = 0, total_ns = 0;
static uint32_t *late; /* how many events of the phase were so late, by slots, whenever they came */
static int close_codes[MOST_CODES];

static uint64_t now_ns(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (uint64_t)at.tv_sec * SECOND + (uint64_t)at.tv_nsec;
}

static void fail(const char *what) {
    perror(what);
    exit(2);
}

/* --- the server's memory and time, with its children ------------------------------------------------------------- */

static double kilobytes(pid_t pid) {
    char name[64], line[256];
    long found = 0;
    snprintf(name, sizeof name, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(name, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Pss: %ld", &found) == 1) break;
    if (file) fclose(file);
    return (double)found;
}

static double cpu_seconds(pid_t pid) {
    char name[64], text[1024] = "";
    unsigned long user = 0, system = 0;
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *file = fopen(name, "r");
    if (!file) return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    char *rest = strrchr(text, ')');
    if (rest) sscanf(rest + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double with_children(pid_t pid, double (*measure)(pid_t)) {
    char name[96];
    int child;
    double sum = pid ? measure(pid) : 0;
    snprintf(name, sizeof name, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = pid ? fopen(name, "r") : NULL;
    while (file && fscanf(file, "%d", &child) == 1) sum += with_children(child, measure);
    if (file) fclose(file);
    return sum;
}

/* --- WebSocket --------------------------------------------------------------------------------------------------- */

static void write_all(int fd, const char *bytes, size_t size) {
    while (size) {
        ssize_t sent = write(fd, bytes, size);
        if (sent < 0 && errno == EAGAIN) {
            usleep(50);
            continue;
        }
        if (sent < 0) return; /* the end is seen by the reader */
        bytes += sent;
        size -= (size_t)sent;
    }
}

static void say(Socket *socket, int op, const char *text, size_t size) {
    static char frame[70000];
    size_t head = 2;
    frame[0] = (char)(0x80 | op);
    if (size < 126) {
        frame[1] = (char)(0x80 | size);
    } else {
        frame[1] = (char)(0x80 | 126);
        frame[2] = (char)(size >> 8);
        frame[3] = (char)size;
        head = 4;
    }
    memset(frame + head, 0, 4); /* a mask of nothing, which leaves the text as it is */
    memcpy(frame + head + 4, text, size);
    write_all(socket->fd, frame, head + 4 + size);
}

static void lose(Socket *socket, int code) {
    if (socket->state == GONE) return;
    if (socket->state == READY) ready--;
    socket->state = GONE;
    gone++;
    close_codes[code]++;
    close(socket->fd);
}

static void become_ready(Socket *socket) {
    socket->state = READY;
    ready++;
    if (socket->is_lazy) epoll_ctl(poll_fd, EPOLL_CTL_DEL, socket->fd, NULL);
}

/* Say the next line; who has said all is ready, or after one more answer. */
static void say_next(Socket *socket) {
    if (!socket->next) {
        become_ready(socket);
        return;
    }
    char *line = socket->next, *end = strchr(line, '\t');
    say(socket, OP_TEXT, line, end ? (size_t)(end - line) : strlen(line));
    socket->next = end ? end + 1 : NULL;
    if (!socket->next && !waits_for_answer) become_ready(socket);
}

static void hear(Socket *socket, const char *text, size_t size, uint64_t now) {
    const char *mark = memmem(text, size, "@@", 2);
    if (mark) {
        uint64_t sent = strtoull(mark + 2, NULL, 10), slot = (now - sent) / SLOT_NS;
        delivered++;
        socket->events++;
        in_time += now >= counted_from && now < counted_until;
        if (sent < counted_from || sent >= counted_until) return;
        counted++;
        total_ns += now - sent;
        late[slot < SLOTS ? slot : SLOTS - 1]++;
    } else if (size == 1 && text[0] == '2') {
        say(socket, OP_TEXT, "3", 1); /* socket.io asks whether one lives */
    } else if (memmem(text, size, "\"type\":\"ping\"", 13)) {
        say(socket, OP_TEXT, "{\"type\":\"pong\"}", 15);
    } else if (memmem(text, size, "\"type\":\"error\"", 14)) {
        static int told = 0;
        if (told++ < 3) fprintf(stderr, "the server says %.*s\n", (int)size, text);
        lose(socket, 0);
    } else if (socket->state == TALKING) {
        say_next(socket);
    }
}

/* Take the frames out of some bytes; gives how many bytes were whole frames. */
static size_t take_frames(Socket *socket, char *bytes, size_t size, uint64_t now) {
    size_t at = 0;
    while (size - at >= 2 && socket->state != GONE) {
        unsigned char *frame = (unsigned char *)bytes + at;
        size_t head = 2;
        uint64_t length = frame[1] & 127;
        if (length == 126) {
            if (size - at < 4) break;
            length = (uint64_t)(frame[2] << 8 | frame[3]);
            head = 4;
        } else if (length == 127) {
            if (size - at < 10) break;
            length = 0;
            for (int place = 2; place < 10; place++) length = length << 8 | frame[place];
            head = 10;
        }
        if (size - at < head + length) break;
        char *text = bytes + at + head;
        int op = frame[0] & 15;
        if (op == OP_TEXT || op == OP_BINARY) hear(socket, text, length, now);
        else if (op == OP_PING) say(socket, OP_PONG, text, length);
        else if (op == OP_CLOSE) lose(socket, length < 2 ? 0 : (unsigned char)text[0] << 8 | (unsigned char)text[1]);
        at += head + length;
    }
    return at;
}

/* Find the end of the handshake's answer; gives how many bytes it has, 0 while it is not whole. */
static size_t take_handshake(Socket *socket, char *bytes, size_t size) {
    char *end = memmem(bytes, size, "\r\n\r\n", 4);
    if (!end) return 0;
    if (size < 12 || memcmp(bytes, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "no handshake: %.*s\n", (int)(size > 300 ? 300 : size), bytes);
        lose(socket, 0);
        return size;
    }
    socket->state = TALKING;
    if (!server_greets) say_next(socket);
    return (size_t)(end + 4 - bytes);
}

static void read_from(Socket *socket) {
    static char bytes[1 << 19];
    bool is_more = true;
    while (is_more && socket->state != GONE) {
        size_t size = socket->held_size, used = 0;
        if (size) memcpy(bytes, socket->held, size);
        ssize_t got = read(socket->fd, bytes + size, sizeof bytes - size);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) {
            lose(socket, 0);
            return;
        }
        is_more = (size_t)got == sizeof bytes - size;
        size += (size_t)got;
        if (socket->state == UPGRADING) used = take_handshake(socket, bytes, size);
        if (socket->state == TALKING || socket->state == READY)
            used += take_frames(socket, bytes + used, size - used, now_ns());
        socket->held_size = size - used;
        if (socket->held_size) {
            socket->held = realloc(socket->held, socket->held_size);
            memcpy(socket->held, bytes + used, socket->held_size);
        }
    }
}

static void open_socket(uint32_t number) {
    Socket *one = &sockets[number];
    int yes = 1, little = 4096;
    one->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (one->fd < 0) fail("socket");
    setsockopt(one->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (one->is_lazy) setsockopt(one->fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof little);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(one->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) fail("connect");
    struct epoll_event wanted = {.events = EPOLLOUT, .data.u32 = number};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, one->fd, &wanted);
}

static void upgrade(Socket *socket, uint32_t number) {
    char request[1024];
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error) {
        errno = error;
        fail("connect");
    }
    int length = snprintf(request, sizeof request,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s\r\n",
        path, port, *protocol ? "Sec-WebSocket-Protocol: " : "", protocol, *protocol ? "\r\n" : "");
    write_all(socket->fd, request, (size_t)length);
    socket->state = UPGRADING;
    struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = number};
    epoll_ctl(poll_fd, EPOLL_CTL_MOD, socket->fd, &wanted);
}

/* --- PostgreSQL, whose function `publish` tells every server of an event ------------------------------------------ */

static void send_message(char type, const char *text, size_t size) {
    static char message[70000];
    uint32_t length = htonl((uint32_t)size + 4);
    size_t head = 0;
    if (type) message[head++] = type;
    memcpy(message + head, &length, 4);
    memcpy(message + head + 4, text, size);
    write_all(postgres_fd, message, head + 4 + size);
}

static void connect_postgres(void) {
    static const char greeting[] = "\0\3\0\0user\0postgres\0database"; /* protocol 3.0 */
    char hello[256] = "";
    size_t size = sizeof greeting;
    memcpy(hello, greeting, size);
    size += strlen(strcpy(hello + size, database)) + 2; /* each text ends with a zero, and the list with another */
    static const char hasty[] = "SET synchronous_commit = off";
    char answer[8192];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", postgres_path);
    postgres_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connect(postgres_fd, (struct sockaddr *)&address, sizeof address)) fail("PostgreSQL");
    send_message(0, hello, size);
    usleep(200000);
    if (read(postgres_fd, answer, sizeof answer) <= 0) fail("PostgreSQL");
    send_message('Q', hasty, sizeof hasty);
    fcntl(postgres_fd, F_SETFL, O_NONBLOCK);
    struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = POSTGRES};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, postgres_fd, &wanted);
}

static void hear_postgres(void) {
    static char answer[65536];
    static int told = 0;
    ssize_t size = read(postgres_fd, answer, sizeof answer);
    if (size > 0 && memmem(answer, (size_t)size, "ERROR", 5) && !told++)
        fprintf(stderr, "PostgreSQL says %.*s\n", (int)(size > 300 ? 300 : size), answer);
}

static void publish(int chat) {
    static char query[66000];
    uint64_t now = now_ns();
    int size = snprintf(query, sizeof query, "SELECT publish(%d, '@@%llu@@ %s')", chat, (unsigned long long)now, padding);
    send_message('Q', query, (size_t)size + 1);
    published++;
    counted_published += now >= counted_from && now < counted_until;
}

/* --- the run ----------------------------------------------------------------------------------------------------- */

static void turn(int milliseconds) {
    struct epoll_event events[512];
    int found = epoll_wait(poll_fd, events, 512, milliseconds);
    for (int place = 0; place < found; place++) {
        uint32_t number = events[place].data.u32;
        if (number == POSTGRES) hear_postgres();
        else if (sockets[number].state == CONNECTING) upgrade(&sockets[number], number);
        else if (sockets[number].state != GONE) read_from(&sockets[number]);
    }
}

static void turn_for(double seconds) {
    uint64_t until = now_ns() + (uint64_t)(seconds * (double)SECOND);
    while (now_ns() < until) turn(20);
}

static void read_script(void) {
    FILE *file = fopen(script, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    if (!file) fail(script);
    while ((size = getline(&line, &room, file)) > 0) {
        sockets = realloc(sockets, sizeof *sockets * (size_t)(count + 1));
        line[strcspn(line, "\n")] = 0;
        sockets[count] = (Socket){.state = CONNECTING, .next = strdup(line), .is_lazy = count < lazy};
        count++;
    }
    fclose(file);
}

static void connect_all(void) {
    double before = with_children(server, kilobytes), cpu = with_children(server, cpu_seconds);
    uint64_t began = now_ns();
    while (ready + gone < count && now_ns() - began < 120 * SECOND) {
        while (started < count && started - ready - gone < at_once) open_socket((uint32_t)started++);
        turn(100);
    }
    double seconds = (double)(now_ns() - began) / (double)SECOND;
    cpu = with_children(server, cpu_seconds) - cpu;
    turn_for(1);
    printf("{\"phase\": \"connect\", \"ready\": %d, \"gone\": %d, \"seconds\": %.3f, \"cpu_seconds\": %.3f, "
           "\"kb_each\": %.2f}\n", ready, gone, seconds, cpu, (with_children(server, kilobytes) - before) / count);
    fflush(stdout);
}

/* Publish in every chat until everybody has had something: who has joined is known only then. */
static void wait_until_all_hear(void) {
    for (int tries = 0; tries < 10; tries++) {
        for (int chat = 0; chat < chats; chat++) {
            publish(first_chat + chat);
            if (chat % 20 == 19) turn(5);
        }
        for (uint64_t until = now_ns() + 3 * SECOND; now_ns() < until;) {
            turn(20);
            int deaf = 0;
            for (int number = 0; number < count; number++)
                deaf += sockets[number].state == READY && !sockets[number].is_lazy && !sockets[number].events;
            if (!deaf) return;
        }
    }
    fprintf(stderr, "some sockets never got an event\n");
}

static double quantile_ms(double share) {
    uint64_t wanted = (uint64_t)((double)counted * share), sum = 0;
    for (int slot = 0; slot < SLOTS; slot++)
        if ((sum += late[slot]) > wanted) return slot * (SLOT_NS / 1e6);
    return -1;
}

static void run(const Phase *phase) {
    double readers = (double)(ready - lazy) / chats; /* of each event */
    uint64_t random = 88172645463325252ull, began = now_ns();
    double cpu = -1, memory = with_children(server, kilobytes);
    memset(late, 0, SLOTS * sizeof *late);
    published = delivered = in_time = counted = counted_published = total_ns = 0;
    counted_from = began + (uint64_t)(warm * (double)SECOND);
    counted_until = counted_from + (uint64_t)(phase->seconds * (double)SECOND);
    for (uint64_t now = began; now < counted_until; now = now_ns()) {
        if (cpu < 0 && now >= counted_from) cpu = with_children(server, cpu_seconds);
        double due = phase->is_rate ? (double)(now - began) / (double)SECOND * phase->amount
                                    : (double)delivered / readers + phase->amount;
        for (int burst = 0; burst < 256 && (double)published < due; burst++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            publish(first_chat + (int)(random % (uint64_t)chats));
        }
        turn(1);
    }
    cpu = with_children(server, cpu_seconds) - cpu;
    uint64_t wanted = (uint64_t)((double)published * readers);
    for (uint64_t patient = now_ns() + PATIENT_SECONDS * SECOND; delivered < wanted && now_ns() < patient;) turn(20);
    printf("{\"phase\": \"%s\", \"published_a_second\": %.2f, \"delivered_a_second\": %.1f, \"p50_ms\": %.2f, "
           "\"p99_ms\": %.2f, \"mean_ms\": %.2f, \"cpu\": %.3f, \"kb_grown\": %.0f, \"missing\": %lld, \"gone\": %d}\n",
        phase->is_rate ? "rate" : "window", (double)counted_published / phase->seconds,
        (double)in_time / phase->seconds, quantile_ms(0.5), quantile_ms(0.99),
        counted ? (double)total_ns / (double)counted / 1e6 : 0, cpu / phase->seconds,
        with_children(server, kilobytes) - memory, (long long)wanted - (long long)delivered, gone);
    fflush(stdout);
}

/* Let those who have read nothing read what there is: with what the server has closed them stands at its end. */
static void look_at_the_lazy(void) {
    for (uint32_t number = 0; number < (uint32_t)lazy; number++) {
        struct epoll_event wanted = {.events = EPOLLIN, .data.u32 = number};
        if (sockets[number].state == READY) epoll_ctl(poll_fd, EPOLL_CTL_ADD, sockets[number].fd, &wanted);
    }
    turn_for(5);
    printf("{\"phase\": \"lazy\", \"closed_1013\": %d, \"cut\": %d, \"open\": %d}\n",
        close_codes[1013], close_codes[0], count - gone);
}

static void read_phase(const char *text) {
    Phase *phase = &phases[phase_count++];
    char kind[8];
    if (phase_count == MOST_PHASES || sscanf(text, "%7[a-z]:%lf:%lf", kind, &phase->amount, &phase->seconds) != 3) {
        fprintf(stderr, "a phase is rate:EVENTS_A_SECOND:SECONDS or window:EVENTS:SECONDS\n");
        exit(2);
    }
    phase->is_rate = !strcmp(kind, "rate");
}

static void read_options(int given, char **values) {
    for (int place = 1; place + 1 < given; place += 2) {
        const char *name = values[place], *value = values[place + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--path")) path = value;
        else if (!strcmp(name, "--protocol")) protocol = value;
        else if (!strcmp(name, "--script")) script = value;
        else if (!strcmp(name, "--postgres")) postgres_path = value;
        else if (!strcmp(name, "--database")) database = value;
        else if (!strcmp(name, "--chats")) chats = atoi(value);
        else if (!strcmp(name, "--first-chat")) first_chat = atoi(value);
        else if (!strcmp(name, "--at-once")) at_once = atoi(value);
        else if (!strcmp(name, "--lazy")) lazy = atoi(value);
        else if (!strcmp(name, "--server-greets")) server_greets = atoi(value);
        else if (!strcmp(name, "--waits-for-answer")) waits_for_answer = atoi(value);
        else if (!strcmp(name, "--padding")) padding = value;
        else if (!strcmp(name, "--server")) server = atoi(value);
        else if (!strcmp(name, "--warm")) warm = atof(value);
        else if (!strcmp(name, "--phase")) read_phase(value);
        else {
            fprintf(stderr, "there is no %s\n", name);
            exit(2);
        }
    }
}

int main(int given, char **values) {
    struct rlimit files = {200000, 200000};
    read_options(given, values);
    setrlimit(RLIMIT_NOFILE, &files);
    late = calloc(SLOTS, sizeof *late);
    poll_fd = epoll_create1(0);
    read_script();
    connect_all();
    if (phase_count) {
        connect_postgres();
        wait_until_all_hear();
        for (int place = 0; place < phase_count; place++) run(&phases[place]);
    }
    if (lazy) look_at_the_lazy();
    return 0;
}
