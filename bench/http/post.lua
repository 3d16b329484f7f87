-- post.lua - what wrk sends: the lecture's reading.
wrk.method = "POST"
wrk.body = '{"instances":[[22.0,23.5,21.0]]}'
wrk.headers["Content-Type"] = "application/json"
