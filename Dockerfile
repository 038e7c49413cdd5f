# The program in an image that holds nothing else: the bundle of docs/deploy.md, without a distribution around it.
#   docker build -t octavo .
#   docker run --rm -v "$PWD:/data" octavo run saved_model.tar cat.jpg
FROM debian:bookworm-slim AS build
WORKDIR /source
COPY . .
RUN tools/install_deps build \
 && cmake --preset release \
 && cmake --build --preset release --target octavo \
 && build/release/bin/octavo bundle assets/demo/shapes_resnet.pt --input-shape 3,32,32 -o /tmp/octavo.tgz \
 && tar -xzf /tmp/octavo.tgz -C /opt

FROM scratch
COPY --from=build /opt/octavo /octavo
WORKDIR /data
USER 65534:65534
ENTRYPOINT ["/octavo/bin/octavo"]
CMD ["--help"]
