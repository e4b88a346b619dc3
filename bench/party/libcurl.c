/* libcurl: BENCH_COUNT messages in each of BENCH_SESSIONS connections, by libcurl. */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static CURL *curl;

static const char *
given(const char *name)
{
    const char *value = getenv(name);

    return value == NULL ? "" : value;
}

static struct curl_slist *
recipients(void)
{
    struct curl_slist *list = NULL;
    char address[64];
    long i;

    for (i = 1; i <= atol(given("BENCH_RECIPIENTS")); i++) {
        snprintf(address, sizeof address, "b%ld@example.com", i);
        list = curl_slist_append(list, address);
    }
    return list;
}

static void
prepare(FILE *file, struct curl_slist *to)
{
    const char *tls = given("BENCH_TLS");
    const char *ca = given("BENCH_CA");
    struct stat known;
    char url[64];

    snprintf(url, sizeof url, "%s://localhost:%s", strcmp(tls, "implicit") == 0 ? "smtps" : "smtp",
             given("BENCH_PORT"));
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_USERNAME, "user");
    curl_easy_setopt(curl, CURLOPT_PASSWORD, "secret");
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, "a@example.com");
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_CRLF, 1L);
    curl_easy_setopt(curl, CURLOPT_READDATA, file);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, atol(given("BENCH_RESUME")));
    curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 524288L);
    if (strcmp(tls, "starttls") == 0)
        curl_easy_setopt(curl, CURLOPT_USE_SSL, (long)CURLUSESSL_ALL);
    if (stat(ca, &known) == 0 && S_ISDIR(known.st_mode)) {
        curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
        curl_easy_setopt(curl, CURLOPT_CAPATH, ca);
    } else
        curl_easy_setopt(curl, CURLOPT_CAINFO, ca);
}

int
main(void)
{
    long count = atol(given("BENCH_COUNT"));
    long left = count * atol(given("BENCH_SESSIONS"));
    FILE *file = fopen(given("BENCH_FILE"), "rb");
    struct curl_slist *to = recipients();

    curl_global_init(CURL_GLOBAL_ALL);
    curl = curl_easy_init();
    if (curl == NULL || file == NULL)
        return 2;
    prepare(file, to);
    for (; left > 0; left--) {
        CURLcode code;

        rewind(file);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, (left - 1) % count == 0 ? 1L : 0L);
        code = curl_easy_perform(curl);
        if (code != CURLE_OK) {
            fprintf(stderr, "libcurl: %s\n", curl_easy_strerror(code));
            return 1;
        }
    }
    curl_slist_free_all(to);
    curl_easy_cleanup(curl);
    return 0;
}
