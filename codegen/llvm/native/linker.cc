// A linker that is started before there is anything to link: half of its time it loads itself. In: its command; later what it reads from standard input.
// Out: its exit status and what it said. Holds: no process and no descriptor is left behind, also when the linking never happens.
#include "../../../runtime/abi/seal.h"
#include "support.h"
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace tfc {

struct Linker {
  pid_t process = -1;
  int input = -1, output = -1;

  void closeInput() {
    if (input >= 0) close(input);
    input = -1;
  }
  // Its exit status, or 128 and the signal that ended it.
  int wait() {
    int status = 0;
    while (waitpid(process, &status, 0) < 0 && errno == EINTR) {}
    process = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  ~Linker() {
    closeInput();
    if (output >= 0) close(output);
    if (process < 0) return;
    kill(process, SIGKILL);
    wait();
  }
};

// startLinker(command, arguments, folder): it runs in `folder`.
static Napi::Value startLinker(Info i) {
  auto command = text(i[0]), folder = text(i[2]);
  auto words = list<std::string>(i[1], text);
  std::vector<char *> arguments{command.data()};
  for (auto &word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  int in[2], out[2];
  if (pipe2(in, O_CLOEXEC) != 0) refuse(i[0], std::strerror(errno));
  auto linker = std::make_unique<Linker>();
  linker->input = in[1];
  if (pipe2(out, O_CLOEXEC) != 0) {
    close(in[0]);
    refuse(i[0], std::strerror(errno));
  }
  linker->output = out[0];
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addchdir_np(&files, folder.c_str());
  posix_spawn_file_actions_adddup2(&files, in[0], 0);
  posix_spawn_file_actions_adddup2(&files, out[1], 1);
  posix_spawn_file_actions_adddup2(&files, out[1], 2);
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
  close(in[0]);
  close(out[1]);
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

// finishLinker(linker, input) → { status, said }
static Napi::Value finishLinker(Info i) {
  auto &l = linker(i[0]);
  auto input = text(i[1]);
  for (size_t at = 0; at < input.size();) {
    auto count = write(l.input, input.data() + at, input.size() - at);
    if (count < 0 && errno == EINTR) continue;
    // It ended early; its status says why.
    if (count < 0) break;
    at += static_cast<size_t>(count);
  }
  l.closeInput();
  std::string said;
  char buffer[4096];
  for (;;) {
    auto count = read(l.output, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    said.append(buffer, static_cast<size_t>(count));
  }
  auto result = Napi::Object::New(i.Env());
  result.Set("status", Napi::Number::New(i.Env(), l.wait()));
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

// seal(path): what may then be opened as an artifact. Errors: those of the file system.
static Napi::Value seal(Info i) {
  auto path = text(i[0]);
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "r+be"), std::fclose);
  if (!file) refuse(i[0], path + ": " + std::strerror(errno));
  std::string bytes;
  char buffer[65536];
  for (size_t count; (count = std::fread(buffer, 1, sizeof buffer, file.get())) > 0;) bytes.append(buffer, count);
  auto made = tfc_seal_of(bytes.data(), bytes.size());
  // Between reading and writing a stream wants to be told its place.
  bool good = !std::ferror(file.get()) && std::fseek(file.get(), 0, SEEK_END) == 0 && std::fwrite(&made, sizeof made, 1, file.get()) == 1;
  if (std::fclose(file.release()) != 0 || !good) refuse(i[0], path + ": " + std::strerror(errno));
  return i.Env().Undefined();
}

void addLinker(Napi::Object &to) {
  add(to, "startLinker", startLinker);
  add(to, "finishLinker", finishLinker);
  add(to, "abandonLinker", abandonLinker);
  add(to, "seal", seal);
}

} // namespace tfc
