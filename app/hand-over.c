/* hand-over.c - what one session computed, for another one of the same model. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backend.h"

/* What a session computed is written by one thread and read by another, so that it lies nowhere
 * between the two. */
typedef struct {
  ModelSession *from;
  uint32_t positions;
  int fd;
} Handing;

static bool
hand_bytes(const void *bytes, size_t n, void *user)
{
  const char *from = bytes;

  while (n > 0) {
    const ssize_t sent = send(*(const int *)user, from, n, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    if (sent <= 0) {
      return false;
    }
    from += sent;
    n -= (size_t)sent;
  }
  return true;
}

static gpointer
hand(gpointer data)
{
  Handing *handing = data;

  model_session_save(handing->from, handing->positions, hand_bytes, &handing->fd, NULL);
  close(handing->fd);
  return NULL;
}

static bool
take_bytes(void *bytes, size_t n, void *user)
{
  char *to = bytes;

  while (n > 0) {
    const ssize_t got = read(*(const int *)user, to, n);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    to += got;
    n -= (size_t)got;
  }
  return true;
}

void
app_hand_over(ModelSession *from, ModelSession *to, guint positions)
{
  Handing handing = {.from = from, .positions = positions};
  GThread *thread;
  int fds[2];

  if (positions == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    return;
  }
  handing.fd = fds[0];
  thread = g_thread_new("hand-over", hand, &handing);
  model_session_restore(to, take_bytes, &fds[1], NULL);
  close(fds[1]); /* the other end gives up, if it has not ended */
  g_thread_join(thread);
}
