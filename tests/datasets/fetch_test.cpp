// Downloads from a server on loopback: whole, resumed, restarted, and every way to fail.
#include "datasets/fetch.hpp"

#include <gtest/gtest.h>

#include "datasets/sha256.hpp"
#include "kernels/core/rng.hpp"
#include "tests/datasets/files.hpp"
#include "tests/datasets/http_server.hpp"

namespace orrery {
namespace {

using test::complaint;
using test::HttpServer;

// SHA-256 of known texts (FIPS 180-4 examples).
TEST(Sha256, KnownAnswers) {
  const test::TempDir dir;
  test::write_text(dir.path("abc"), "abc");
  EXPECT_EQ(sha256_of_file(dir.path("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_content(dir.path("abc")), sha256_of_file(dir.path("abc")));
  test::write_text(dir.path("none"), "");
  EXPECT_EQ(sha256_of_file(dir.path("none")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  test::write_text(dir.path("million"), std::string(1000000, 'a'));
  EXPECT_EQ(sha256_of_file(dir.path("million")), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  test::write_gz(dir.path("abc.gz"), {'a', 'b', 'c'});
  EXPECT_EQ(sha256_of_content(dir.path("abc.gz")), sha256_of_file(dir.path("abc")));
  EXPECT_NE(sha256_of_file(dir.path("abc.gz")), sha256_of_file(dir.path("abc")));
}

class Fetch : public testing::Test {
 protected:
  void SetUp() override {
    const Stream s(1, Draw::probe, 0, 0);
    for (uint32_t i = 0; i < 300000; ++i) one_ += static_cast<char>(s.bits(i));
    two_ = "+1 1:1\n-1 2:1\n";
    set_ = {"set", "libsvm", "", {"set"}, {published("one", one_, false), published("two", two_, true)}, "", ""};
    set_.url = "http://127.0.0.1:1/";
  }
  PublishedFile published(const std::string& name, const std::string& content, bool text) const {
    test::write_text(dir_.path("sum"), content);
    const std::string sum = sha256_of_file(dir_.path("sum"));
    return {name, static_cast<int64_t>(content.size()), sum, text ? sum : ""};
  }
  std::map<std::string, std::string> files() const { return {{"/set/one", one_}, {"/set/two", two_}}; }
  FetchOptions from(const std::string& url) const { return {url, to(), nullptr, nullptr}; }
  std::string to(const std::string& name = "") const { return dir_.path(name.empty() ? "to" : "to/" + name); }
  std::string refused(const std::string& url) const {
    const std::string message = complaint<DataError>([&] { fetch(set_, from(url)); });
    EXPECT_NE(message.find("; "), std::string::npos) << "no remedy: " << message;
    return message;
  }
  void expect_both() const {
    EXPECT_EQ(test::read_text(to("one")), one_);
    EXPECT_EQ(test::read_text(to("two")), two_);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(to()), {}), 2) << "something else was left";
  }

  test::TempDir dir_;
  test::Environment proxy_{"no_proxy", "127.0.0.1"}, Proxy_{"NO_PROXY", "127.0.0.1"};
  std::string one_, two_;
  PublishedSet set_;
};

TEST_F(Fetch, WholeThenKept) {
  const HttpServer server(files());
  std::vector<FetchProgress> seen;
  std::vector<std::string> finished;
  FetchOptions options = from(server.url());
  options.progress = [&](const FetchProgress& p) { return seen.push_back(p), true; };
  options.finished = [&](const FetchedFile& f) { finished.push_back(f.path); };
  const auto got = fetch(set_, options);
  ASSERT_EQ(got.size(), 2u);
  EXPECT_EQ(got[0].path, to("one"));
  EXPECT_EQ(got[0].bytes, 300000);
  EXPECT_EQ(got[0].how, Fetched::whole);
  EXPECT_EQ(finished, (std::vector<std::string>{to("one"), to("two")}));
  expect_both();
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back().name, "two");
  EXPECT_EQ(seen.back().done, 14);
  EXPECT_EQ(seen.back().total, 14);

  const auto again = fetch(set_, from(server.url()));
  EXPECT_EQ(again[0].how, Fetched::kept);
  EXPECT_EQ(again[1].how, Fetched::kept);
  EXPECT_EQ(server.requests().size(), 2u) << "what is there is not asked for";
}

TEST_F(Fetch, UrlsWithAndWithoutASlashAndRedirects) {
  const HttpServer server(files());
  HttpServer::Behaviour b;
  b.redirect_to = server.url();
  const HttpServer elsewhere({}, b);
  std::string url = elsewhere.url();
  url.pop_back();
  fetch(set_, from(url));
  expect_both();
}

TEST_F(Fetch, GoesOnFromWhereItBrokeOff) {
  {
    HttpServer::Behaviour b;
    b.break_off = 100000;
    const HttpServer server(files(), b);
    const std::string message = refused(server.url());
    EXPECT_NE(message.find("broke off after 100000 bytes"), std::string::npos) << message;
    EXPECT_NE(message.find("fetch again to go on"), std::string::npos) << message;
  }
  EXPECT_EQ(test::read_text(to("one.part")), one_.substr(0, 100000));
  EXPECT_FALSE(std::filesystem::exists(to("one")));
  const HttpServer server(files());
  const auto got = fetch(set_, from(server.url()));
  EXPECT_EQ(got[0].how, Fetched::resumed);
  EXPECT_EQ(got[0].bytes, 300000);
  EXPECT_EQ(got[1].how, Fetched::whole);
  EXPECT_EQ(server.requests()[0].range, "bytes=100000-");
  EXPECT_EQ(server.requests()[1].range, "");
  expect_both();
}

TEST_F(Fetch, StartsAgainWhereTheServerKnowsNoRanges) {
  std::filesystem::create_directory(to());
  test::write_text(to("one.part"), "something old that is not the file's beginning");
  HttpServer::Behaviour b;
  b.ranges = false;
  const HttpServer server(files(), b);
  EXPECT_EQ(fetch(set_, from(server.url()))[0].how, Fetched::whole);
  EXPECT_EQ(server.requests()[0].range, "bytes=46-");
  expect_both();
}

TEST_F(Fetch, APartThatIsWholeOrTooLong) {
  std::filesystem::create_directory(to());
  test::write_text(to("one.part"), one_);  // stopped before the rename
  test::write_text(to("two.part"), two_ + "and more");
  const HttpServer server(files());
  fetch(set_, from(server.url()));
  expect_both();
}

TEST_F(Fetch, AWrongChecksumIsRemoved) {
  std::string wrong = one_;
  wrong[1234] ^= 1;
  const HttpServer server(HttpServer::Files{{"/set/one", wrong}});
  const std::string message = refused(server.url());
  EXPECT_TRUE(message.starts_with(server.url() + "one: has SHA-256 ")) << message;
  EXPECT_NE(message.find(set_.files[0].sha256), std::string::npos) << message;
  EXPECT_FALSE(std::filesystem::exists(to())) << "the folder was made for nothing";

  // a part of another file: refused, removed, and the next attempt is whole
  std::filesystem::create_directory(to());
  test::write_text(to("one.part"), "another beginning");
  const HttpServer right(files());
  refused(right.url());
  EXPECT_FALSE(std::filesystem::exists(to("one.part")));
  fetch(set_, from(right.url()));
  expect_both();
}

TEST_F(Fetch, AFileThatIsThereAndWrongStays) {
  std::filesystem::create_directory(to());
  test::write_text(to("one"), "mine");
  const HttpServer server(files());
  const std::string message = refused(server.url());
  EXPECT_TRUE(message.starts_with(to("one") + ": is there, but is not the published file")) << message;
  EXPECT_EQ(test::read_text(to("one")), "mine");
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Fetch, PlainTextMayBeCompressedByTheServer) {
  test::write_gz(dir_.path("gz"), test::Bytes(two_.begin(), two_.end()));
  const std::string packed = test::read_text(dir_.path("gz"));
  const HttpServer server(HttpServer::Files{{"/set/one", one_}, {"/set/two.gz", packed}});
  const auto got = fetch(set_, from(server.url()));
  EXPECT_EQ(got[1].path, to("two.gz"));
  EXPECT_EQ(test::read_text(to("two.gz")), packed);
  EXPECT_EQ(fetch(set_, from(server.url()))[1].how, Fetched::kept);
  // compressed, but of something else
  test::write_gz(dir_.path("gz"), {'x'});
  std::filesystem::remove(to("two.gz"));
  const HttpServer other(HttpServer::Files{{"/set/one", one_}, {"/set/two.gz", test::read_text(dir_.path("gz"))}});
  EXPECT_NE(refused(other.url()).find("two.gz: has SHA-256"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(to("two.gz.part")));
}

TEST_F(Fetch, ErrorsOfTheServerAndTheNetwork) {
  {
    const HttpServer server({});
    EXPECT_NE(refused(server.url()).find("one: the server does not have it (404); give another"), std::string::npos);
  }
  {
    HttpServer::Behaviour b;
    b.status = 503;
    const HttpServer server(files(), b);
    EXPECT_NE(refused(server.url()).find("the server answered 503; try again later"), std::string::npos);
  }
  {
    HttpServer::Behaviour b;
    b.endless = true;
    const HttpServer server(files(), b);
    EXPECT_NE(refused(server.url()).find("sends more than the 300000 bytes that are published"), std::string::npos);
  }
  EXPECT_NE(refused(test::refused_url()).find("cannot be reached ("), std::string::npos);
  EXPECT_NE(refused("http://no-such-host.invalid/").find("cannot be reached ("), std::string::npos);
  EXPECT_NE(refused("file:///etc/").find("is no address; give one that begins with http://"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(to()));
  test::write_text(to(), "a file");
  EXPECT_TRUE(refused(test::refused_url()).starts_with(to() + ": cannot be made (")) << refused(test::refused_url());
}

TEST_F(Fetch, StopsWhenAskedAndKeepsThePart) {
  HttpServer::Behaviour b;
  b.break_off = 50000;
  b.hold = true;
  {
    const HttpServer server(files(), b);
    FetchOptions options = from(server.url());
    options.progress = [](const FetchProgress& p) { return p.done < 50000; };
    EXPECT_THROW(fetch(set_, options), FetchStopped);
  }
  EXPECT_EQ(test::read_text(to("one.part")), one_.substr(0, 50000));
  const HttpServer server(files());
  EXPECT_EQ(fetch(set_, from(server.url()))[0].how, Fetched::resumed);
  expect_both();
}

}  // namespace
}  // namespace orrery
