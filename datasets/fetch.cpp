#include "datasets/fetch.hpp"

#include <curl/curl.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "datasets/sha256.hpp"
#include "kernels/core/error.hpp"

namespace orrery {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const std::string& where, const std::string& what) {
  throw DataError(fmt::format("{}: {}", where, what));
}

bool is_published(const PublishedFile& file, const std::string& path) {
  if (sha256_of_file(path) == file.sha256) return true;
  if (file.unpacked.empty()) return false;
  try {
    return sha256_of_content(path) == file.unpacked;
  } catch (const DataError&) {  // no gzip stream that ends well
    return false;
  }
}

// The folder of the files; where it was made here and nothing came into it, it goes again.
class NewFolder {
 public:
  explicit NewFolder(const std::string& path) : path_(path) {
    std::error_code error;
    made_ = fs::create_directories(path, error);
    if (error) fail(path, fmt::format("cannot be made ({}); choose another folder with --to", error.message()));
  }
  ~NewFolder() {
    std::error_code ignored;  // a folder that holds something stays
    if (made_) fs::remove(path_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

 private:
  std::string path_;
  bool made_ = false;
};

// The growing file, locked against a second process.
class PartFile {
 public:
  explicit PartFile(const std::string& path)
      : path_(path), file_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (file_ < 0)
      fail(path, fmt::format("cannot be written ({}); choose another folder with --to", std::strerror(errno)));
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      close(file_);
      fail(path, "is being fetched by another process; wait for it");
    }
    size_ = lseek(file_, 0, SEEK_END);
  }
  ~PartFile() {
    if (size_ == 0) remove();
    close(file_);
  }
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  const std::string& path() const { return path_; }
  int64_t size() const { return size_; }
  bool restart() {
    size_ = 0;
    return ftruncate(file_, 0) == 0 && lseek(file_, 0, SEEK_SET) == 0;
  }
  bool append(const char* data, size_t n) {
    while (n > 0) {
      const ssize_t put = write(file_, data, n);
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return false;
      data += put;
      n -= static_cast<size_t>(put);
      size_ += put;
    }
    return true;
  }
  void remove() const {
    std::error_code ignored;
    fs::remove(path_, ignored);
  }

 private:
  std::string path_;
  int file_;
  int64_t size_ = 0;
};

// One request into a part file.
class Transfer {
 public:
  enum class Outcome { done, not_found, bad_range };

  Transfer(PartFile& part, const PublishedFile& file, const FetchOptions& options)
      : part_(part), file_(file), options_(options) {}

  Outcome run(const std::string& url) {
    static const bool ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> handle(ready ? curl_easy_init() : nullptr,
                                                                     curl_easy_cleanup);
    expects(handle != nullptr, "libcurl");
    curl_ = handle.get();
    from_ = part_.size();
    const std::string range = fmt::format("{}-", from_);
    char why[CURL_ERROR_SIZE] = "";
    set(CURLOPT_URL, url.c_str());
    set(CURLOPT_ERRORBUFFER, why);
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 1L);
    set(CURLOPT_MAXREDIRS, 5L);
    set(CURLOPT_FAILONERROR, 1L);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_CONNECTTIMEOUT, 30L);
    set(CURLOPT_LOW_SPEED_LIMIT, 1L);  // a minute without a byte is an end
    set(CURLOPT_LOW_SPEED_TIME, 60L);
    set(CURLOPT_USERAGENT, "orrery");
    if (from_ > 0) set(CURLOPT_RANGE, range.c_str());
    set(CURLOPT_WRITEDATA, this);
    set(
        CURLOPT_WRITEFUNCTION,
        +[](char* data, size_t, size_t n, void* self) { return static_cast<Transfer*>(self)->write(data, n); });
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFODATA, this);
    set(
        CURLOPT_XFERINFOFUNCTION, +[](void* self, curl_off_t total, curl_off_t, curl_off_t, curl_off_t) {
          return static_cast<Transfer*>(self)->report(total) ? 0 : 1;
        });

    const CURLcode code = curl_easy_perform(curl_);
    const long status = http_status();
    if (code == CURLE_OK) return Outcome::done;
    if (code == CURLE_HTTP_RETURNED_ERROR && status == 416 && from_ > 0) return Outcome::bad_range;
    if (code == CURLE_HTTP_RETURNED_ERROR && (status == 404 || status == 410)) return Outcome::not_found;
    if (code == CURLE_HTTP_RETURNED_ERROR)
      fail(url, fmt::format("the server answered {}; try again later or give another server with --url", status));
    if (code == CURLE_ABORTED_BY_CALLBACK)
      throw FetchStopped(
          fmt::format("stopped; {} holds {} bytes, from which the next fetch goes on", part_.path(), part_.size()));
    if (code == CURLE_WRITE_ERROR && too_long_) {
      part_.remove();
      fail(url, fmt::format("sends more than the {} bytes that are published; give another server with --url",
                            most_bytes()));
    }
    if (code == CURLE_WRITE_ERROR)
      fail(part_.path(), fmt::format("cannot be written ({}); free some space or choose another folder with --to",
                                     std::strerror(write_error_)));
    const std::string reason = why[0] ? why : curl_easy_strerror(code);
    if (!first_)
      fail(url, fmt::format("broke off after {} bytes ({}); fetch again to go on from there", part_.size(), reason));
    fail(url, fmt::format("cannot be reached ({}); check the network, or give another server with --url", reason));
  }

  bool resumed() const { return resumed_; }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    expects(curl_easy_setopt(curl_, option, value) == CURLE_OK, "an option that libcurl knows");
  }
  long http_status() const {
    long status = 0;
    curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
    return status;
  }
  int64_t most_bytes() const { return file_.bytes + (file_.unpacked.empty() ? 0 : 1024); }  // gzip may lengthen

  size_t write(const char* data, size_t n) {
    if (first_) {
      first_ = false;
      resumed_ = from_ > 0 && http_status() == 206;
      if (from_ > 0 && !resumed_ && !part_.restart()) return write_error_ = errno, 0;  // the whole file is coming
    }
    if (file_.bytes > 0 && part_.size() + static_cast<int64_t>(n) > most_bytes()) return too_long_ = true, 0;
    if (!part_.append(data, n)) return write_error_ = errno, 0;
    return n;
  }

  bool report(int64_t coming) const {
    if (!options_.progress) return true;
    curl_off_t rate = 0;
    curl_easy_getinfo(curl_, CURLINFO_SPEED_DOWNLOAD_T, &rate);
    return options_.progress({fs::path(part_.path()).stem().string(), part_.size(),
                              coming > 0 ? coming + (resumed_ ? from_ : 0) : 0, static_cast<double>(rate)});
  }

  PartFile& part_;
  const PublishedFile& file_;
  const FetchOptions& options_;
  CURL* curl_ = nullptr;
  int64_t from_ = 0;
  int write_error_ = 0;
  bool first_ = true, resumed_ = false, too_long_ = false;
};

// Downloads `name` under the base; false where the server does not have it.
bool download(const PublishedFile& file, const std::string& name, const std::string& base, const FetchOptions& options,
              FetchedFile* got) {
  const std::string path = (fs::path(options.to) / name).string(), url = base + name;
  PartFile part(path + ".part");
  Transfer transfer(part, file, options);
  auto outcome = transfer.run(url);
  bool resumed = transfer.resumed();
  if (outcome == Transfer::Outcome::bad_range && !is_published(file, part.path())) {
    // nothing follows what is there, and that is not the file
    if (!part.restart()) fail(part.path(), "cannot be emptied; remove it");
    outcome = Transfer(part, file, options).run(url);
    resumed = false;
  }
  if (outcome == Transfer::Outcome::not_found) return false;
  if (!is_published(file, part.path())) {
    const std::string sum = sha256_of_file(part.path());
    part.remove();
    fail(url, fmt::format("has SHA-256 {} where {} is published, and was removed; fetch again, or give another server "
                          "with --url",
                          sum, file.sha256));
  }
  std::error_code error;
  fs::rename(part.path(), path, error);
  if (error) fail(path, fmt::format("cannot be written ({}); choose another folder with --to", error.message()));
  *got = {path, part.size(), resumed ? Fetched::resumed : Fetched::whole};
  return true;
}

}  // namespace

std::vector<FetchedFile> fetch(const PublishedSet& set, const FetchOptions& options) {
  std::string base = options.url.empty() ? set.url : options.url;
  expects(!base.empty() && !set.files.empty(), "a set that is published file by file");
  if (!base.ends_with('/')) base += '/';
  if (!base.starts_with("http://") && !base.starts_with("https://"))
    fail(base, "is no address; give one that begins with http:// or https://");
  std::error_code error;
  const NewFolder folder(options.to);

  std::vector<FetchedFile> done;
  for (const PublishedFile& file : set.files) {
    std::vector<std::string> names{file.name};
    if (!file.unpacked.empty()) names.push_back(file.name + ".gz");
    bool there = false;
    for (const auto& name : names) {
      const fs::path path = fs::path(options.to) / name;
      if (there || !fs::exists(path, error)) continue;
      if (!is_published(file, path.string()))
        fail(path.string(), fmt::format("is there, but is not the published file (SHA-256 {}); remove it, or choose "
                                        "another folder with --to",
                                        file.sha256));
      done.push_back({path.string(), static_cast<int64_t>(fs::file_size(path)), Fetched::kept});
      there = true;
    }
    for (const auto& name : names) {
      FetchedFile got;
      if (!there && download(file, name, base, options, &got)) {
        done.push_back(got);
        there = true;
      }
    }
    if (!there) fail(base + file.name, "the server does not have it (404); give another server with --url");
    if (options.finished) options.finished(done.back());
  }
  return done;
}

}  // namespace orrery
