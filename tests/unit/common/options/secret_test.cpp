#include "common/options/secret.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

#include "common/options/settings.hpp"
#include "tests/support/pipe.hpp"
#include "tests/support/temporary.hpp"

namespace sistem {
namespace {

using namespace std::string_literals;
using std::filesystem::path;

class Secret : public testing::Test {
 protected:
  path file(const std::string& content, mode_t mode = 0600, const std::string& name = "pw") const {
    const path file = folder_.write(name, content);
    EXPECT_EQ(::chmod(file.c_str(), mode), 0);
    return file;
  }
  static std::string complaint(const path& file, bool open_to_others_is_fine = false) {
    try {
      return "no complaint: " + read_secret(file, open_to_others_is_fine);
    } catch (const Expected& expected) {
      return expected.what();
    }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Secret, IsTheContentWithoutTheLineEndThatClosesIt) {
  EXPECT_EQ(read_secret(file("pass word"), false), "pass word");
  EXPECT_EQ(read_secret(file("pass word\n"), false), "pass word");
  EXPECT_EQ(read_secret(file("pass word\r\n"), false), "pass word");
  EXPECT_EQ(read_secret(file("two\nlines\n\n"), false), "two\nlines\n");
}

TEST_F(Secret, MayBeAnyBytes) { EXPECT_EQ(read_secret(file("a\0\xFF\r"s), false), "a\0\xFF\r"s); }

TEST_F(Secret, ThatOthersCanReadOrWriteIsRefusedWithWhatHelps) {
  for (const mode_t mode : {0660U, 0640U, 0620U, 0604U, 0602U, 0644U, 0666U, 0777U}) {
    SCOPED_TRACE(mode);
    const path pw = file("pw", mode);
    EXPECT_EQ(complaint(pw), "expected a file that only you can read: run chmod 600 " + pw.string() +
                                 ", or give --allow-readable-secrets");
    EXPECT_EQ(read_secret(pw, true), "pw");
  }
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    EXPECT_EQ(read_secret(file("pw", mode), false), "pw") << mode;
  }
}

TEST_F(Secret, TheFileBehindALinkCounts) {
  const path pw = file("pw", 0644);
  const path link = folder_.path() / "link";
  std::filesystem::create_symlink(pw, link);
  EXPECT_TRUE(complaint(link).starts_with("expected a file that only you can read")) << complaint(link);
}

TEST_F(Secret, TheAdviceIsQuotedForAShell) {
  const path pw = file("pw", 0644, "it's mine");
  EXPECT_NE(complaint(pw).find("chmod 600 '" + folder_.path().string() + "/it'\\''s mine', or"), std::string::npos)
      << complaint(pw);
}

TEST_F(Secret, ThatIsEmptyIsRefused) {
  for (const char* content : {"", "\n", "\r\n"}) {
    EXPECT_EQ(complaint(file(content)), "expected a file with a password in it, and this one is empty");
  }
}

TEST_F(Secret, ThatIsMissingOrAFolderIsRefused) {
  EXPECT_EQ(complaint(folder_.path() / "none"), "expected a file that can be read (No such file or directory)");
  EXPECT_EQ(complaint(folder_.path()), "expected a file or a pipe");
  EXPECT_EQ(complaint("/dev/zero"), "expected a file or a pipe");
}

TEST_F(Secret, MayBeAsLongAsAPasswordOfMqtt) {
  const std::string longest(65535, 'x');
  EXPECT_TRUE(read_secret(file(longest + "\n"), false) == longest);
  EXPECT_EQ(complaint(file(longest + "xx")), "expected a password of at most 65535 bytes");
  EXPECT_EQ(complaint(file(std::string(1 << 20, '\n'))), "expected a password of at most 65535 bytes");
}

TEST_F(Secret, MayComeThroughAPipe) {
  test::Pipe pipe;
  std::jthread writer([&] {
    pipe.write("through ");
    pipe.write("a pipe\n");
    pipe.close_writer();
  });
  EXPECT_EQ(read_secret("/dev/fd/" + std::to_string(pipe.reader()), false), "through a pipe");
}

TEST_F(Secret, MayComeThroughAFifoThatEverybodyCanRead) {
  const path fifo = folder_.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0644), 0);
  std::jthread writer([&] { std::ofstream(fifo) << "through a FIFO\n"; });
  EXPECT_EQ(read_secret(fifo, false), "through a FIFO");
}

TEST_F(Secret, MountedIntoAContainerIsSeenByNobodyElse) {
  EXPECT_TRUE(is_mounted_secret("/run/secrets/pw"));
  EXPECT_TRUE(is_mounted_secret("/var/run/secrets/broker/..data/pw"));
  EXPECT_FALSE(is_mounted_secret("/run/secrets/../pw"));
  EXPECT_FALSE(is_mounted_secret("/run/secrets"));
  EXPECT_FALSE(is_mounted_secret("/run/secrets.old/pw"));
  EXPECT_FALSE(is_mounted_secret("/home/run/secrets/pw"));
}

TEST_F(Secret, ALinkIntoTheMountedOnesIsOneOfThem) {
  const path link = folder_.path() / "secrets";
  std::filesystem::create_directory_symlink("/run", link);
  EXPECT_TRUE(is_mounted_secret(link / "secrets" / "pw"));
}

}  // namespace
}  // namespace sistem
