/*
 * Asks a time-stamp server over kept-alive HTTP connections, one request in flight on each, and counts the answers.
 * In C so that the generator takes as little as it can of the cores it shares with what it measures.
 *
 * load PORT QUERY_FILE CONNECTIONS SECONDS
 *
 * Ends early, with what it has, at SIGINT.
 * Prints {"answers":…,"granted":…,"seconds":…,"cpu_seconds":…,"p50_ms":…,"p99_ms":…,"closed":…}. An answer counts as granted when it is
 * 200 and begins as TimeStampResp with status granted; a connection as closed when the server has ended it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CONNECTIONS = 1024, BUFFER = 16384, MAX_SAMPLES = 4000000 };

typedef struct { int socket; int filled; double sent; char buffer[BUFFER]; } Connection;

static Connection connections[MAX_CONNECTIONS];
static char request[8192];
static int request_length;
static float *samples;
static long answers, granted;
static int closed;
static volatile sig_atomic_t asked_to_end;

static void end_early(int signal) { asked_to_end = signal; }

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what) { perror(what); exit(1); }

/* A connection that the server has closed: one of a flood, beyond what an address may have. */
static void drop(Connection *connection) {
  close(connection->socket);
  closed++;
}

static void ask(Connection *connection) {
  connection->filled = 0;
  connection->sent = now();
  if (send(connection->socket, request, (size_t)request_length, MSG_NOSIGNAL) != request_length) drop(connection);
}

/* Whether a whole answer is there; counts it. */
static int take(Connection *connection) {
  connection->buffer[connection->filled] = '\0';
  char *end = memmem(connection->buffer, (size_t)connection->filled, "\r\n\r\n", 4);
  if (end == NULL) return 0;
  char *length = strcasestr(connection->buffer, "\r\ncontent-length:");
  long body = 0;
  if (length != NULL && length < end) {
    body = atol(length + 17);
    if (connection->filled < end + 4 - connection->buffer + body) return 0;
  } else if (connection->filled < 5 || memcmp(connection->buffer + connection->filled - 5, "0\r\n\r\n", 5) != 0) {
    return 0; /* chunked, as problem answers are: the last chunk isn't there yet */
  }
  const unsigned char *der = (const unsigned char *)end + 4;
  static const unsigned char status[] = {0x30, 0x03, 0x02, 0x01, 0x00};
  int header = body > 10 ? (der[1] == 0x82 ? 4 : der[1] == 0x81 ? 3 : 2) : 0;
  if (strncmp(connection->buffer, "HTTP/1.1 200", 12) == 0 && body > 10 && memcmp(der + header, status, 5) == 0) granted++;
  if (answers < MAX_SAMPLES) samples[answers] = (float)((now() - connection->sent) * 1000);
  answers++;
  return 1;
}

static int compare(const void *left, const void *right) {
  float difference = *(const float *)left - *(const float *)right;
  return difference < 0 ? -1 : difference > 0;
}

int main(int count, char **arguments) {
  if (count != 5) { fprintf(stderr, "usage: load PORT QUERY_FILE CONNECTIONS SECONDS\n"); return 2; }
  int port = atoi(arguments[1]), number = atoi(arguments[3]);
  double seconds = atof(arguments[4]);
  if (number < 1 || number > MAX_CONNECTIONS) return 2;
  unsigned char query[4096];
  FILE *file = fopen(arguments[2], "rb");
  if (file == NULL) fail("the query");
  int size = (int)fread(query, 1, sizeof query, file);
  request_length = snprintf(request, sizeof request,
    "POST / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: application/timestamp-query\r\nContent-Length: %d\r\n\r\n", port, size);
  memcpy(request + request_length, query, (size_t)size);
  request_length += size;
  samples = malloc(sizeof(float) * MAX_SAMPLES);
  int queue = epoll_create1(0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  for (int index = 0; index < number; index++) {
    Connection *connection = &connections[index];
    connection->socket = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection->socket, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    int yes = 1;
    setsockopt(connection->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    epoll_ctl(queue, EPOLL_CTL_ADD, connection->socket, &event);
  }
  signal(SIGINT, end_early);
  double started = now(), end = started + seconds;
  for (int index = 0; index < number; index++) ask(&connections[index]);
  struct epoll_event events[64];
  while (now() < end && !asked_to_end && closed < number) {
    int ready = epoll_wait(queue, events, 64, 100);
    for (int index = 0; index < ready; index++) {
      Connection *connection = events[index].data.ptr;
      ssize_t got = recv(connection->socket, connection->buffer + connection->filled, (size_t)(BUFFER - 1 - connection->filled), 0);
      if (got < 0 && asked_to_end) break;
      if (got <= 0) { drop(connection); continue; }
      connection->filled += (int)got;
      if (take(connection)) ask(connection);
    }
  }
  double elapsed = now() - started;
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  long kept = answers < MAX_SAMPLES ? answers : MAX_SAMPLES;
  qsort(samples, (size_t)kept, sizeof(float), compare);
  printf("{\"answers\":%ld,\"granted\":%ld,\"seconds\":%.3f,\"cpu_seconds\":%.3f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"closed\":%d}\n", answers, granted, elapsed, cpu,
         kept > 0 ? samples[kept / 2] : 0, kept > 0 ? samples[kept * 99 / 100] : 0, closed);
  return 0;
}
