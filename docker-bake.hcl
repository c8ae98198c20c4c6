# Every image of the system as of the newest phase, each built once: `docker buildx bake` on a laptop, and in the workflow
# `release`, which pushes them. What they have in common is built in one stage, once for all of them.
variable "REGISTRY" {
  default = "ticket-workbook"
}
variable "TAG" {
  default = "phase5"
}

group "default" {
  targets = ["service"]
}

target "service" {
  name    = service
  matrix  = { service = ["api-gateway", "booking-service", "event-service", "metrics-consumer", "user-service"] }
  target  = service
  context = "."
  args    = { PHASE = "5" }
  tags    = ["${REGISTRY}/${service}:${TAG}"]
}
