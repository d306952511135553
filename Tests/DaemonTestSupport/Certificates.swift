import Foundation
import TestSupport

/// An authority with a certificate for 127.0.0.1 and one for a client, made by the openssl program.
package final class Certificates: Sendable {
    private let folder = TemporaryDirectory("certificates")

    package func path(_ name: String) -> String { folder.appending(name) }

    package init() throws {
        let script = """
            cd "$1" && exec >/dev/null 2>&1
            openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca \
              -keyout ca.key -out ca.pem -addext basicConstraints=critical,CA:TRUE
            for one in server client; do
              openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$one" -keyout $one.key -out $one.csr
            done
            printf 'subjectAltName=IP:127.0.0.1\\nextendedKeyUsage=serverAuth\\n' > server.ext
            printf 'extendedKeyUsage=clientAuth\\n' > client.ext
            for one in server client; do
              openssl x509 -req -in $one.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile $one.ext -out $one.pem
            done
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", folder.path]
        try process.run()
        process.waitUntilExit()
    }
}
