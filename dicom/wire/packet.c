/* packet.c - messages with descriptors; see packet.h. */
#include "packet.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void
dicom_packet_clear(DicomPacket *packet)
{
  for (guint i = 0; i < packet->n_fds; i++) {
    if (packet->fds[i] >= 0) {
      close(packet->fds[i]);
    }
  }
  packet->n_fds = 0;
  packet->n = 0;
}

DicomPacketResult
dicom_packet_send(int socket, const struct iovec *parts, guint n_parts, const int *fds, guint n_fds,
                  gboolean dont_wait)
{
  union {
    char bytes[CMSG_SPACE(DICOM_PACKET_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control = {{0}};
  struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = n_parts};
  gsize n = 0;

  g_return_val_if_fail(n_fds <= DICOM_PACKET_MAX_FDS, DICOM_PACKET_BROKEN);
  if (n_fds > 0) {
    struct cmsghdr *c;

    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
    c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
    memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
  }
  for (guint i = 0; i < n_parts; i++) {
    n += parts[i].iov_len;
  }
  for (;;) {
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL | (dont_wait ? MSG_DONTWAIT : 0));

    if (sent >= 0) {
      return (gsize)sent == n ? DICOM_PACKET_OK : DICOM_PACKET_BROKEN;
    }
    if (errno == EAGAIN) {
      return DICOM_PACKET_NONE;
    }
    if (errno != EINTR) {
      return errno == EPIPE || errno == ECONNRESET ? DICOM_PACKET_CLOSED : DICOM_PACKET_BROKEN;
    }
  }
}

/* Every descriptor that arrived is ours now, wanted or not. */
static void
take_descriptors(struct msghdr *message, DicomPacket *packet, gboolean *too_many)
{
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    gsize n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
      continue;
    }
    for (gsize i = 0; i < n; i++) {
      int fd;

      memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      if (packet->n_fds < DICOM_PACKET_MAX_FDS) {
        packet->fds[packet->n_fds++] = fd;
      } else {
        *too_many = TRUE;
        close(fd);
      }
    }
  }
}

DicomPacketResult
dicom_packet_receive(int socket, DicomPacket *packet, gboolean dont_wait)
{
  struct iovec part = {packet->u.bytes, sizeof packet->u.bytes};
  union {
    char bytes[CMSG_SPACE(DICOM_PACKET_MAX_FDS * sizeof(int))];
    struct cmsghdr align;
  } control = {{0}};
  struct msghdr message = {.msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.bytes,
                           .msg_controllen = sizeof control.bytes};
  gboolean too_many = FALSE;
  ssize_t got;

  packet->n = 0;
  packet->n_fds = 0;
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (dont_wait ? MSG_DONTWAIT : 0));
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return errno == EAGAIN       ? DICOM_PACKET_NONE
           : errno == ECONNRESET ? DICOM_PACKET_CLOSED
                                 : DICOM_PACKET_BROKEN;
  }
  take_descriptors(&message, packet, &too_many);
  packet->n = (gsize)got;
  if (got == 0 && packet->n_fds == 0) {
    return DICOM_PACKET_CLOSED;
  }
  if (too_many || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
    dicom_packet_clear(packet);
    return DICOM_PACKET_BROKEN;
  }
  return DICOM_PACKET_OK;
}
