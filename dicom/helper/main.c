/* main.c - hilum-decode: reads foreign images for Hilum, one request after another.
 *
 * It is started by the application with a socket as descriptor 3 and is of no use otherwise. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dicom/helper/helper.h"

int
main(void)
{
  int type = 0;
  socklen_t n = sizeof type;

  if (getsockopt(DICOM_HELPER_SOCKET, SOL_SOCKET, SO_TYPE, &type, &n) != 0 ||
      type != SOCK_SEQPACKET) {
    fputs("hilum-decode: is started by hilum, which hands it a socket; nothing to do here\n",
          stderr);
    return 2;
  }
  /* Nothing is to be written at the end, and a leak checker could not look from in here. */
  _exit(dicom_helper_run(DICOM_HELPER_SOCKET));
}
