"""One conversation with every packet and every form of information, and how the dissector shows it."""

from capture import (ACCEPT, CLIENT, SERVER, client, handshake, heartbeat, ip, padded, port, reject, request, response, sized,
                     update)

# 33 is a method that nobody knows.
CONVERSATION = [
    (CLIENT, handshake(33, 0b111, 1)),
    (SERVER, ACCEPT + request(1)),
    (CLIENT, response(1, port(7890))),
    (SERVER, request(2)),
    (CLIENT, response(2, sized(b"hello"))),
    (SERVER, request(3)),
    (CLIENT, response(3, padded(b"abcdef"))),
    (SERVER, request(0)),
    (CLIENT, heartbeat(0)),
    (SERVER, update("R", 0, ip("0.0.0.0")) +
     update("A", 0, client("10.0.0.9"), client("10.0.0.7", (1, port(7890)), (2, sized(b"hello")), (33, bytes(4)))) +
     update("A", 1700000003)),
    (CLIENT, heartbeat(1700000003) + heartbeat(1700000003)),
    (SERVER, update("R", 1700000005, ip("10.0.0.8"), ip("10.0.0.9")) + update("A", 1700000007) +
     update("A", 1700000007) + reject(b"E402 the server stops")),
]
SHOWN = {
    CLIENT: {
        "lekt.packet": ["handshake", "response", "response", "response", "heartbeat", "heartbeat", "heartbeat"],
        "lekt.methods_known": ["33"],
        "lekt.supports": ["1", "2", "3", "33"],
        "lekt.index": ["1", "2", "3"],
        "lekt.information.length": ["5"],
        "lekt.information": ["00001ed2", "68656c6c6f", "616263646566"],
        "lekt.padding": ["000000", "0000"],
        "lekt.port": ["7890"],
        "lekt.timestamp": ["0", "1700000003", "1700000003"],
    },
    SERVER: {
        "lekt.packet": ["accept", "request", "request", "request", "request", "update", "update", "update", "update",
                        "update", "update", "reject"],
        "lekt.index": ["1", "2", "3", "0", "1", "2"],
        "lekt.timestamp": ["0", "0", "1700000003", "1700000005", "1700000007", "1700000007"],
        "lekt.kind": [f"'{kind}'" for kind in "RAARAA"],
        "lekt.count": ["1", "2", "0", "2", "0", "0"],
        "lekt.client.size": ["4", "36"],
        "lekt.address": ["0.0.0.0", "10.0.0.9", "10.0.0.7", "10.0.0.8", "10.0.0.9"],
        "lekt.information": ["00001ed2", "68656c6c6f"],
        "lekt.information.length": ["5"],
        "lekt.port": ["7890"],
        "lekt.unknown": ["0000002100000000"],
        "lekt.padding": ["000000", "000000"],
        "lekt.message": ["E402 the server stops"],
        "lekt.code": ["E402"],
        "_ws.expert.message": ["It begins with method 33", "It is the last packet"],
    },
}
WORDS = [
    "Handshake: supports 1 (tcp), 2 (chat), 3 (key), 33 (of 33 known)",
    "Accept; Request: information of method 1 (tcp)",
    "Response: tcp:7890",
    "Request: information of method 2 (chat)",
    "Response: chat:68656c6c6f",
    "Request: information of method 3 (key)",
    "Response: key:616263646566",
    "Request: the setup ends, the client is registered",
    "Heartbeat: holds nothing, asks for all",
    "Update: reset, forget everyone; Update: 2 added: 10.0.0.9, 10.0.0.7; "
    "Update: the answer ends, everything before 2023-11-14T22:13:23Z is told",
    "Heartbeat: holds everything before 2023-11-14T22:13:23Z; Heartbeat: holds everything before 2023-11-14T22:13:23Z",
    "Update: 2 removed: 10.0.0.8, 10.0.0.9; Update: the answer ends, everything before 2023-11-14T22:13:27Z is told; "
    "Update: the answer ends, everything before 2023-11-14T22:13:27Z is told; Reject: E402 the server stops",
]
