/* no-seccomp.c - runs $HILUM_REAL_DECODE as on a kernel that was built without seccomp. */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
  const char *program = getenv("HILUM_REAL_DECODE");

  (void)argc;
  if (!filter || !program ||
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) != 0 ||
      seccomp_rule_add(filter, SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), 1,
                       SCMP_A0(SCMP_CMP_EQ, PR_SET_SECCOMP)) != 0 ||
      seccomp_load(filter) != 0) {
    return 77;
  }
  execv(program, argv);
  return 78;
}
