/* sandbox.c - what the decoding helper may do: compute, take memory, read the descriptors that it
 * is given, and answer. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dicom/limits.h"
#include "dicom/helper/helper.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

/* A frame of DICOM_MAX_FRAME_BYTES in 16 bits, the four bytes a sample in which JPEG 2000 decodes
 * it, and its code stream. What needs more is refused by the limits of the room; what needs it all
 * the same ends here, and not in the memory of the user's machine. */
#define MAX_ADDRESS_SPACE ((rlim_t)2 << 30)
/* Standard streams, the socket, kept files, a request's descriptors and an answer's. */
#define MAX_FILES 32
/* An answer's memory files count as files. */
#define MAX_FILE_BYTES ((rlim_t)DICOM_MAX_FRAME_BYTES)

/* ---- limits ------------------------------------------------------------------------------- */

static void
limit(int resource, rlim_t most)
{
  struct rlimit now;

  /* Where the user's own limit is lower, that one stays. A limit that cannot be set is no reason to
   * read nothing: the filter, the clock and the other limits hold. */
  if (getrlimit((__rlimit_resource_t)resource, &now) == 0) {
    now.rlim_max = MIN(now.rlim_max, most);
    now.rlim_cur = MIN(now.rlim_cur, now.rlim_max);
    setrlimit((__rlimit_resource_t)resource, &now);
  }
}

void
dicom_helper_limit(void)
{
  if (!SANITIZED) { /* which maps terabytes for its shadow */
    limit(RLIMIT_AS, MAX_ADDRESS_SPACE);
  }
  limit(RLIMIT_NOFILE, MAX_FILES);
  limit(RLIMIT_FSIZE, MAX_FILE_BYTES);
  signal(SIGXFSZ, SIG_IGN); /* an error where it happens, and not the end */
  limit(RLIMIT_CORE, 0);    /* it would hold pictures of patients */
  limit(RLIMIT_NPROC, 0);
  limit(RLIMIT_MEMLOCK, 0);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  /* A parent's death is seen as the end of the socket. PR_SET_PDEATHSIG would follow the thread
   * that started this process, and a pool's threads come and go. */
}

void
dicom_helper_renew(guint timeout_ms)
{
  guint seconds = timeout_ms / 1000 + 1;
  struct rusage used;
  struct rlimit cpu;
  /* The asking end keeps the clock; this one is for a helper that it left behind. */
  const struct itimerval clock = {.it_value = {.tv_sec = timeout_ms ? 3 * (time_t)seconds : 0}};

  if (timeout_ms > 0 && getrusage(RUSAGE_SELF, &used) == 0 && getrlimit(RLIMIT_CPU, &cpu) == 0) {
    rlim_t until = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + seconds + 1;

    cpu.rlim_cur = MIN(cpu.rlim_max, until);
    setrlimit(RLIMIT_CPU, &cpu);
  }
  setitimer(ITIMER_REAL, &clock, NULL);
}

/* ---- the filter --------------------------------------------------------------------------- */

/* What decoding does, whatever the arguments. */
static const int allowed[] = {
    /* memory (mapping, when not executable, comes below) */
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    /* the descriptors that it has */
    SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek), SCMP_SYS(fstat), SCMP_SYS(close),
    SCMP_SYS(dup),
    /* memory files, and messages on standard error; no other descriptor is open for writing */
    SCMP_SYS(memfd_create), SCMP_SYS(ftruncate), SCMP_SYS(write), SCMP_SYS(writev),
    /* time and itself */
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(gettimeofday), SCMP_SYS(time),
    SCMP_SYS(getrusage), SCMP_SYS(setitimer), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(sysinfo),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(getrandom), SCMP_SYS(getrlimit),
    /* locks, signals and the end */
    SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall), SCMP_SYS(exit),
    SCMP_SYS(exit_group)};

/* What libraries try in passing, for a message catalogue, a time zone or a terminal, and live
 * without: they are told no. Everything that is in no list ends the process, since nothing but an
 * intruder comes to it. */
static const int refused[] = {
    SCMP_SYS(open),        SCMP_SYS(openat),      SCMP_SYS(openat2),    SCMP_SYS(creat),
    SCMP_SYS(access),      SCMP_SYS(faccessat),   SCMP_SYS(faccessat2), SCMP_SYS(stat),
    SCMP_SYS(lstat),       SCMP_SYS(statx),       SCMP_SYS(statfs),     SCMP_SYS(fstatfs),
    SCMP_SYS(readlink),    SCMP_SYS(readlinkat),  SCMP_SYS(getcwd),     SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),    SCMP_SYS(mkdir),       SCMP_SYS(mkdirat),    SCMP_SYS(rename),
    SCMP_SYS(renameat),    SCMP_SYS(renameat2),   SCMP_SYS(ioctl),      SCMP_SYS(socket),
    SCMP_SYS(socketpair),  SCMP_SYS(connect),     SCMP_SYS(bind),       SCMP_SYS(listen),
    SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(eventfd2),   SCMP_SYS(execve),
    SCMP_SYS(execveat),    SCMP_SYS(fork),        SCMP_SYS(vfork),      SCMP_SYS(clone),
    SCMP_SYS(clone3),      SCMP_SYS(kill),        SCMP_SYS(prctl),      SCMP_SYS(uname),
    SCMP_SYS(getuid),      SCMP_SYS(geteuid),     SCMP_SYS(getgid),     SCMP_SYS(getegid),
    SCMP_SYS(getppid)};

typedef struct {
  int call;
  uint32_t action;
  guint n_conditions;
  struct scmp_arg_cmp conditions[2];
} Rule;

/* Those that depend on an argument. What is not named here ends the process too. */
static int
add_conditions(scmp_filter_ctx filter, int socket)
{
  const scmp_datum_t self = (scmp_datum_t)getpid(), its = (scmp_datum_t)socket;
  const Rule rules[] = {
      {SCMP_SYS(mmap), SCMP_ACT_ALLOW, 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
      {SCMP_SYS(mprotect), SCMP_ACT_ALLOW, 1, {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
      {SCMP_SYS(sendmsg), SCMP_ACT_ALLOW, 1, {SCMP_A0(SCMP_CMP_EQ, its)}},
      {SCMP_SYS(recvmsg), SCMP_ACT_ALLOW, 1, {SCMP_A0(SCMP_CMP_EQ, its)}},
      {SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, {SCMP_A1(SCMP_CMP_EQ, F_ADD_SEALS)}},
      {SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, {SCMP_A1(SCMP_CMP_EQ, F_GETFL)}},
      {SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, {SCMP_A1(SCMP_CMP_EQ, F_GETFD)}},
      {SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, {SCMP_A1(SCMP_CMP_EQ, F_SETFD)}},
      {SCMP_SYS(fcntl), SCMP_ACT_ALLOW, 1, {SCMP_A1(SCMP_CMP_EQ, F_DUPFD_CLOEXEC)}},
      /* how the C library spells fstat() */
      {SCMP_SYS(newfstatat), SCMP_ACT_ALLOW, 1, {SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH)}},
      {SCMP_SYS(newfstatat), SCMP_ACT_ERRNO(EPERM), 1, {SCMP_A3(SCMP_CMP_NE, AT_EMPTY_PATH)}},
      /* reading limits, and renewing that of time */
      {SCMP_SYS(prlimit64), SCMP_ACT_ALLOW, 2, {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)}},
      {SCMP_SYS(prlimit64),
       SCMP_ACT_ALLOW,
       2,
       {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU)}},
      {SCMP_SYS(setrlimit), SCMP_ACT_ALLOW, 1, {SCMP_A0(SCMP_CMP_EQ, RLIMIT_CPU)}},
      /* abort() */
      {SCMP_SYS(tgkill), SCMP_ACT_ALLOW, 1, {SCMP_A0(SCMP_CMP_EQ, self)}},
  };
  int status = 0;

  for (guint i = 0; status == 0 && i < G_N_ELEMENTS(rules); i++) {
    status = seccomp_rule_add_array(filter, rules[i].action, rules[i].call, rules[i].n_conditions,
                                    rules[i].conditions);
  }
  return status;
}

static int
add_lists(scmp_filter_ctx filter)
{
  /* By writing to a pipe the sanitizer finds out whether memory can be read. */
  const uint32_t pipes = SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM);
  int status = seccomp_rule_add(filter, pipes, SCMP_SYS(pipe), 0);

  status = status == 0 ? seccomp_rule_add(filter, pipes, SCMP_SYS(pipe2), 0) : status;

  for (guint i = 0; status == 0 && i < G_N_ELEMENTS(allowed); i++) {
    status = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
  }
  for (guint i = 0; status == 0 && i < G_N_ELEMENTS(refused); i++) {
    status = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i], 0);
  }
  return status;
}

void
dicom_helper_close_sandbox(DicomHello *hello, int socket)
{
  scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
  int status = filter ? 0 : -ENOMEM;

  if (status == 0) {
    /* A tree in place of a list: fewer steps for each call. Old libraries do not know it. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
    status = add_conditions(filter, socket);
  }
  if (status == 0) {
    status = add_lists(filter);
  }
  if (status == 0) {
    status = seccomp_load(filter);
  }
  seccomp_release(filter);
  hello->filtered = status == 0;
  if (status != 0) {
    g_snprintf(hello->note, sizeof hello->note, "seccomp: %s", g_strerror(-status));
  }
}

/* ---- trying it ---------------------------------------------------------------------------- */

static gboolean
can_open(void)
{
  int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0) {
    close(fd);
  }
  return fd >= 0;
}

static gboolean
can_write(void)
{
  char path[64];
  int fd;

  g_snprintf(path, sizeof path, "/tmp/hilum-decode-%d", (int)getpid());
  fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd >= 0) {
    close(fd);
    unlink(path);
  }
  return fd >= 0;
}

/* Whether anybody listens at the discard port of this machine matters not. */
static gboolean
can_connect(void)
{
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0) {
    return FALSE;
  }
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  gboolean reached =
      connect(fd, (struct sockaddr *)&to, sizeof to) == 0 || (errno != EPERM && errno != EACCES);
  close(fd);
  return reached;
}

static gboolean
can_fork(void)
{
  pid_t child = fork();

  if (child == 0) {
    _exit(0);
  }
  if (child > 0) {
    waitpid(child, NULL, 0);
  }
  return child > 0;
}

void
dicom_helper_try(DicomHello *hello)
{
  hello->open = !can_open();
  hello->write = !can_write();
  hello->connect = !can_connect();
  hello->fork = !can_fork();
}
