// A linker that is started before there is anything to link: half of its time it loads itself. In: its command; later what it reads from standard input.
// Out: its exit status, its standard output and what it said. Holds: no process and no descriptor is left behind, also when the linking never happens;
// neither side waits for the other, whatever the sizes.
#include "../../../runtime/abi/seal.h"
#include "support.h"
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace tfc {

struct Linker {
  pid_t process = -1;
  int input = -1, output = -1, errors = -1;

  static void end(int &descriptor) {
    if (descriptor >= 0) close(descriptor);
    descriptor = -1;
  }
  // Its exit status, or 128 and the signal that ended it.
  int wait() {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    process = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ~Linker() {
    for (auto descriptor : {&input, &output, &errors}) end(*descriptor);
    if (process < 0) return;
    kill(process, SIGKILL);
    wait();
  }
};

// startLinker(command, arguments)
static Napi::Value startLinker(Info i) {
  auto command = text(i[0]);
  auto words = list<std::string>(i[1], text);
  std::vector<char *> arguments{command.data()};
  for (auto &word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  auto linker = std::make_unique<Linker>();
  // The linker's ends are closed here in any case.
  struct Ends {
    int input = -1, output = -1, errors = -1;
    ~Ends() {
      for (auto descriptor : {&input, &output, &errors}) Linker::end(*descriptor);
    }
  } theirs;
  auto connect = [&](int &reading, int &writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) refuse(i[0], std::strerror(errno));
    reading = ends[0];
    writing = ends[1];
  };
  connect(theirs.input, linker->input);
  connect(linker->output, theirs.output);
  connect(linker->errors, theirs.errors);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, theirs.input, 0);
  posix_spawn_file_actions_adddup2(&files, theirs.output, 1);
  posix_spawn_file_actions_adddup2(&files, theirs.errors, 2);
  // Node ignores broken pipes; the linker shall not.
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  posix_spawnattr_setsigdefault(&how, &signals);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGDEF);
  int error = posix_spawnp(&linker->process, command.c_str(), &files, &how, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&how);
  if (error != 0) {
    linker->process = -1;
    refuse(i[0], std::strerror(error));
  }
  return Napi::External<Linker>::New(i.Env(), linker.release(), [](Napi::Env, Linker *l) { delete l; });
}

static Linker &linker(const Napi::Value &v) {
  if (!v.IsExternal()) refuse(v, "expected a linker");
  auto &l = *v.As<Napi::External<Linker>>().Data();
  if (l.process < 0) refuse(v, "the linker has ended");
  return l;
}

// finishLinker(linker, input) → { status, output, said }: the output is sealed, as what may be opened as an artifact.
static Napi::Value finishLinker(Info i) {
  auto &l = linker(i[0]);
  if (!i[1].IsBuffer()) refuse(i[1], "expected a buffer");
  auto input = i[1].As<Napi::Buffer<char>>();
  fcntl(l.input, F_SETFL, O_NONBLOCK);
  std::string output, said;
  auto take = [](int &from, std::string &to) {
    char buffer[65536];
    auto count = read(from, buffer, sizeof buffer);
    if (count > 0) to.append(buffer, static_cast<size_t>(count));
    else if (count == 0 || errno != EINTR) Linker::end(from);
  };
  for (size_t at = 0; l.output >= 0 || l.errors >= 0;) {
    if (at == input.Length()) Linker::end(l.input);
    // Descriptors that are closed are passed over.
    pollfd ready[] = {{l.input, POLLOUT, 0}, {l.output, POLLIN, 0}, {l.errors, POLLIN, 0}};
    if (poll(ready, 3, -1) < 0) {
      if (errno == EINTR) continue;
      break;
    }
    if (ready[0].revents != 0) {
      auto count = write(l.input, input.Data() + at, input.Length() - at);
      if (count > 0) at += static_cast<size_t>(count);
      // It ended early; its status says why.
      else if (errno != EINTR && errno != EAGAIN) Linker::end(l.input);
    }
    if (ready[1].revents != 0) take(l.output, output);
    if (ready[2].revents != 0) take(l.errors, said);
  }
  Linker::end(l.input);
  auto status = l.wait();
  auto seal = tfc_seal_of(output.data(), output.size());
  output.append(reinterpret_cast<const char *>(&seal), sizeof seal);
  auto result = Napi::Object::New(i.Env());
  result.Set("status", Napi::Number::New(i.Env(), status));
  result.Set("output", Napi::Buffer<char>::Copy(i.Env(), output.data(), output.size()));
  result.Set("said", said);
  return result;
}

// abandonLinker(linker)
static Napi::Value abandonLinker(Info i) {
  auto &l = linker(i[0]);
  kill(l.process, SIGKILL);
  l.wait();
  return i.Env().Undefined();
}

void addLinker(Napi::Object &to) {
  add(to, "startLinker", startLinker);
  add(to, "finishLinker", finishLinker);
  add(to, "abandonLinker", abandonLinker);
}

} // namespace tfc
